"""CONV_2D and DEPTHWISE_CONV_2D against upstream TFLM, over layers that hypothesis thinks up."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.compiler_helpers import FLAGS, needs_gcc
from support.convolution_cases import (
    CONV,
    DEPTHWISE,
    HALVES,
    Network,
    Shape,
    convolutions,
    depthwise,
    kernels,
    layer_of_halves,
    random_convolution,
    random_float_convolution,
    random_small_convolution,
    series,
    shape_of,
    shapes,
)
from support.generated_programs import SANITIZE, sanitized
from support.kernel_cases import (
    FLOAT32,
    activations,
    cases,
    check_bit_exact,
    fillings,
    int8_values,
    scales,
    seeds,
    zero_points,
)
from support.many_models import check_many_models, many_models
from tflm_hil.compiler import compile_model
from tflm_hil.compiler.graph.sliding_window import SAME, VALID
from tflm_hil.compiler.operators import small_convolution
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build

pytestmark = needs_gcc

SMALL = ("aot_conv_s8_small", "aot_conv_s8_small_padded", "aot_conv_s8_small_dilated")
SMALL_DEPTHWISE = ("aot_depthwise_s8_3x3", "aot_depthwise_s8_3x3_relu")


@st.composite
def int8_layers(draw: st.DrawFn) -> tuple[bytes, list[npt.NDArray[Any]]]:
    shape = draw(shapes)
    rng = np.random.default_rng(draw(seeds))
    weights = int8_values(rng, shape.weights, draw(fillings))
    if draw(st.integers(0, 3)):
        weights = np.maximum(weights, -127)
    weight_scales = [draw(scales) for _ in range(draw(st.sampled_from([1, shape.outputs])))]
    input_scale = draw(scales)
    limit = 2 ** draw(st.sampled_from([4, 12, 20, 30]))
    bias = rng.integers(-limit, limit, shape.outputs).astype(np.int32) if draw(st.booleans()) else None
    # The factors that sums are multiplied with, from one that leaves nothing of them to one that just does not
    # overflow: beyond, TFLM's result is whatever its compiler made of it.
    factors = st.sampled_from([-40, -32, -31]) | st.integers(-12, -2) | st.floats(-16, -4) | st.floats(-4, 16)
    factor = min(2.0 ** draw(factors), 2**29 / (shape.taps * 128 * 255 + limit))
    # Below 1e-6, RELU6 has its upper end beyond int32, and TFLM refuses the layer.
    output_scale = max(float(np.float32(input_scale * max(weight_scales) / factor)), 1e-6)
    network = Network()
    x = network.image(shape.x, input_scale, draw(zero_points))
    target = (output_scale, draw(zero_points))
    y = network.convolution(x, shape, weights, bias, weight_scales, target, draw(activations))
    return network.build([x], [y]), [int8_values(rng, shape.x, draw(fillings))]


@cases
@given(int8_layers())
def test_int8_is_bit_exact(case: tuple[bytes, list[npt.NDArray[Any]]]) -> None:
    check_bit_exact(*case)


def ordinary_layer(shape: Shape, seed: int, activation: int) -> tuple[bytes, npt.NDArray[np.int8]]:
    rng = np.random.default_rng(seed)
    network = Network()
    x = network.image(shape.x, 0.5, int(rng.integers(-128, 128)))
    model = network.build([x], [network.ordinary(x, shape, rng, activation)])
    return model, int8_values(rng, shape.x, "random")


def kernel_with(most_weights: int, model: bytes, x: npt.NDArray[np.int8]) -> str:
    """Check the answer with a limit of so many weights for the kernel for small windows; return the kernel."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_convolution, "MOST_WEIGHTS", most_weights)
        (kernel,) = check_bit_exact(model, [x])
    return kernel


@cases
@given(convolutions(st.just(1), st.integers(1, 40)), seeds, activations)
def test_ordinary_convolutions_are_packed_and_bit_exact(shape: Shape, seed: int, activation: int) -> None:
    model, x = ordinary_layer(shape, seed, activation)
    assert kernel_with(0, model, x) in ("aot_conv_s8", *SMALL_DEPTHWISE)


@cases
@given(convolutions(st.just(1), st.integers(1, 6)) | series(), seeds, activations)
def test_convolutions_of_small_windows_are_bit_exact(shape: Shape, seed: int, activation: int) -> None:
    model, x = ordinary_layer(shape, seed, activation)
    kernel = kernel_with(2**16, model, x)
    assert kernel in ("aot_conv_s8", *SMALL_DEPTHWISE, *SMALL)
    if shape.taps <= 8 and shape.y[2] >= 4 and shape.options["DilationWFactor"] == 1:
        assert kernel != "aot_conv_s8"


@pytest.mark.parametrize(
    ("kernel", "image", "outputs", "window", "stride", "dilation", "padding"),
    [
        ("aot_conv_s8_small", (9, 9, 3), 8, (2, 2), (1, 2), (1, 1), VALID),
        ("aot_conv_s8_small", (5, 5, 16), 2, (1, 1), (1, 1), (1, 1), SAME),  # two pixels at once, two runs in a row
        ("aot_conv_s8_small_padded", (60, 40, 3), 8, (3, 3), (2, 2), (1, 1), SAME),  # tiles are parts of rows
        ("aot_conv_s8_small_padded", (30, 6, 3), 8, (3, 3), (1, 1), (2, 1), SAME),  # tiles of several rows
        ("aot_conv_s8_small_padded", (1, 600, 2), 6, (1, 3), (1, 3), (1, 2), SAME),
        ("aot_conv_s8_small_dilated", (1, 300, 2), 8, (1, 5), (1, 1), (1, 3), SAME),  # three tiles
        ("aot_conv_s8_small_dilated", (1, 9, 1), 4, (1, 3), (1, 1), (1, 4), VALID),  # fewer outputs than dilation
        ("aot_depthwise_s8_3x3", (8, 9, 1), 3, (3, 3), (1, 2), (1, 1), SAME),
    ],
)
def test_each_kernel_for_small_windows_is_chosen(
    kernel: str,
    image: tuple[int, int, int],
    outputs: int,
    window: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: int,
) -> None:
    shape = shape_of(CONV, image, outputs, window, stride, dilation, padding)
    assert shape is not None
    for activation in (0, 1, 3):
        model, x = ordinary_layer(shape, 3, activation)
        (chosen,) = check_bit_exact(model, [x])
        assert chosen in (kernel, f"{kernel}_relu")


depthwise_kernels = st.sampled_from([(3, 3), (3, 3), (3, 3), (1, 3), (3, 1), (2, 2)]) | kernels


@cases
@given(depthwise(depthwise_kernels, st.just((1, 1))), seeds, activations)
def test_ordinary_depthwise_convolutions_are_fast_and_bit_exact(shape: Shape, seed: int, activation: int) -> None:
    model, x = ordinary_layer(shape, seed, activation)
    assert check_bit_exact(model, [x])[0] in ("aot_depthwise_s8", "aot_conv_s8", *SMALL_DEPTHWISE, *SMALL)


def one_layer(
    shape: Shape | None,
    weights: npt.NDArray[np.int8],
    output_scale: float,
    bias: list[int] | None = None,
    weight_scales: list[float] | None = None,
) -> bytes:
    """Without an activation; the input's scale is 0.5, and so are the weights' by default."""
    assert shape is not None
    network = Network()
    x = network.image(shape.x, 0.5, -128)
    biases = None if bias is None else np.array(bias, np.int32)
    y = network.convolution(
        x, shape, weights.reshape(shape.weights), biases, weight_scales or [0.5], (output_scale, -128)
    )
    return network.build([x], [y])


def image(shape: Shape | None, seed: int = 3) -> npt.NDArray[np.int8]:
    assert shape is not None
    return int8_values(np.random.default_rng(seed), shape.x, "random")


@pytest.mark.parametrize("kind", [CONV, DEPTHWISE])
@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
def test_time_series_are_bit_exact(kind: str, padding: int, stride: int, dilation: int) -> None:
    # One column of pixels, which the compiler lays down as a row.
    shape = shape_of(kind, (20, 1, 6), 12, (5, 1), (stride, 1), (dilation, 1), padding)
    assert shape is not None
    model, x = ordinary_layer(shape, 3, 1)
    check_bit_exact(model, [x])


def test_a_kernel_wider_than_its_image_is_bit_exact() -> None:
    # From the end of a row of taps, the next one is backwards.
    shape = shape_of(DEPTHWISE, (6, 1, 2), 2, (2, 3), (2, 3), (1, 3))
    assert shape is not None
    model, x = ordinary_layer(shape, 3, 0)
    assert check_bit_exact(model, [x]) == ["aot_conv_s8_unpacked"]


@pytest.mark.parametrize("kind", [CONV, DEPTHWISE])
def test_channels_that_cannot_change_are_not_computed(kind: str, tmp_path: Path) -> None:
    # As training leaves dead channels: tiny scales, and biases at the end of what the converter allows.
    shape = shape_of(kind, (5, 5, 4), 4, (3, 3))
    assert shape is not None
    weights = int8_values(np.random.default_rng(1), shape.weights, "random") // 2
    bias = [100, 2**30, -(2**30), -100]
    dead = one_layer(shape, weights, 8.0, bias, [0.5, 2.0**-28, 2.0**-29, 0.4])
    alive = one_layer(shape, weights, 8.0, [100, 0, 0, -100], [0.5, 0.5, 0.5, 0.4])
    kernel = "aot_conv_s8" if kind == CONV else "aot_depthwise_s8_3x3_relu"
    sizes = []
    for model in (dead, alive):
        assert check_bit_exact(model, [image(shape)]) == [kernel]
        (tmp_path / "model.tflite").write_bytes(model)
        sizes.append(compile_model(tmp_path / "model.tflite", tmp_path).constant_bytes)
    assert sizes[0] < 0.75 * sizes[1]


def test_a_layer_of_nothing_but_dead_channels() -> None:
    shape = shape_of(CONV, (4, 3, 2), 3, (1, 1))
    model = one_layer(shape, np.ones(6, np.int8), 8.0, [2**20, -(2**20), 0], [1e-9])
    assert kernel_with(256, model, image(shape)) == "aot_conv_s8_small"
    assert kernel_with(0, model, image(shape)) == "aot_conv_s8"


def test_a_channel_that_changes_by_one_step_is_no_constant() -> None:
    # Its factor is too small for the fast kernel, but the bias puts it where one more tips the balance.
    shape = shape_of(CONV, (1, 1, 4), 1, (1, 1))
    model = one_layer(shape, np.full(4, 127, np.int8), 0.5, [2**24 - 4 * 127 * 128 + 2000], [2.0**-25])
    for value in (-128, 127):
        assert check_bit_exact(model, [np.full((1, 1, 1, 4), value, np.int8)]) == ["aot_conv_s8_unpacked"]


def test_weights_that_do_not_fit_a_pair_use_the_unpacked_kernel() -> None:
    shape = shape_of(CONV, (3, 3, 8), 2, (1, 1))
    packable = np.array([[-128, 127] * 4, [1] * 8], np.int8)
    assert kernel_with(0, one_layer(shape, packable, 8.0), image(shape)) == "aot_conv_s8"
    unpackable = np.array([[-128, 127] * 4, [-1, 2] * 4], np.int8)
    assert kernel_with(0, one_layer(shape, unpackable, 8.0), image(shape)) == "aot_conv_s8_unpacked"
    assert check_bit_exact(one_layer(shape, unpackable, 8.0), [image(shape)]) == ["aot_conv_s8_small"]


@pytest.mark.parametrize(("taps", "kernel"), [(516, "aot_conv_s8"), (517, "aot_conv_s8_unpacked")])
def test_rows_whose_sums_leave_23_bits_use_the_unpacked_kernel(taps: int, kernel: str) -> None:
    shape = shape_of(CONV, (2, 1, taps), 2, (1, 1))
    weights = np.full((2, taps), 127, np.int8)
    for value in (-128, 127):
        assert check_bit_exact(one_layer(shape, weights, 2e4), [np.full((1, 2, 1, taps), value, np.int8)]) == [kernel]


@pytest.mark.parametrize("exponent", range(-12, -1))
@pytest.mark.parametrize("kernel", HALVES)
def test_halves_are_rounded_away_from_zero(kernel: str, exponent: int) -> None:
    model, shape = layer_of_halves(*HALVES[kernel], exponent)
    assert check_bit_exact(model, [np.arange(-128, 128, dtype=np.int8).reshape(shape)]) == [kernel]


@cases
@given(seeds, shapes, activations, st.booleans(), st.sampled_from([1.0, 1e-30, 1e30]))
def test_float32_is_bit_exact(seed: int, shape: Shape, activation: int, with_bias: bool, size: float) -> None:
    rng = np.random.default_rng(seed)
    tensors = [
        TensorSpec(shape.x, FLOAT32),
        TensorSpec(shape.weights, FLOAT32, data=rng.normal(0, 1, shape.weights).astype(np.float32)),
        TensorSpec([shape.outputs], FLOAT32, data=rng.normal(0, 1, shape.outputs).astype(np.float32)),
        TensorSpec(shape.y, FLOAT32),
    ]
    options = shape.options | {"FusedActivationFunction": activation}
    operator = OperatorSpec(shape.kind, [0, 1, 2] if with_bias else [0, 1], [3], options)
    x = rng.normal(0, size, shape.x).astype(np.float32)
    check_bit_exact(build(tensors, [operator], [0], [3]), [x])


@pytest.mark.parametrize(
    ("kernel", "image", "outputs", "dilation", "padding"),
    [
        ("aot_conv_f32_small", (6, 9, 1), 7, (2, 1), VALID),
        ("aot_conv_f32_small_padded", (6, 9, 1), 7, (1, 1), SAME),
        ("aot_conv_f32_small_padded", (40, 70, 1), 3, (1, 1), SAME),  # tiles are parts of rows
        ("aot_conv_f32_small_padded", (9, 7, 1), 4, (1, 3), SAME),
        (
            "aot_conv_f32",
            (9, 7, 1),
            5,
            (1, 3),
            SAME,
        ),  # a channel without partners, which would need four pixels in a row
    ],
)
def test_float32_of_one_channel_is_bit_exact_with_zeros_and_infinities(
    kernel: str, image: tuple[int, int, int], outputs: int, dilation: tuple[int, int], padding: int
) -> None:
    # Padding with zeros must not turn a -0 into a 0, nor make a NaN of an infinity.
    shape = shape_of(CONV, image, outputs, (3, 3), (1, 1), dilation, padding)
    assert shape is not None
    rng = np.random.default_rng(6)
    weights = np.abs(rng.normal(0, 1, shape.weights)).astype(np.float32)
    x = rng.choice(
        np.array([-0.0, -0.0, 0.0, 1e-30, 3.0, np.inf], np.float32), shape.x, p=[0.3, 0.3, 0.2, 0.1, 0.09, 0.01]
    )
    bias = np.where(np.arange(outputs) % 2, -0.0, 1.0).astype(np.float32)
    for activation in (0, 1, 3):
        tensors = [
            TensorSpec(shape.x, FLOAT32),
            TensorSpec(shape.weights, FLOAT32, data=weights),
            TensorSpec([outputs], FLOAT32, data=bias),
            TensorSpec(shape.y, FLOAT32),
        ]
        options = shape.options | {"FusedActivationFunction": activation}
        model = build(tensors, [OperatorSpec(CONV, [0, 1, 2], [3], options)], [0], [3])
        assert check_bit_exact(model, [x]) == [kernel]


@pytest.mark.nightly  # compiles all kernels once more
def test_random_convolutions_under_the_sanitizers(tmp_path: Path) -> None:
    makers = random_convolution, random_small_convolution, random_float_convolution
    models = [make(seed) for make in makers for seed in range(52)]
    _, kernels = sanitized()
    program = tmp_path / "program"
    subprocess.run(["gcc", *FLAGS, *SANITIZE, "-o", program, *many_models(models, tmp_path), kernels], check=True)
    check_many_models(
        models, lambda stdin: subprocess.run([program], input=stdin, capture_output=True, check=True).stdout
    )


def refusal(shape: Shape, tmp_path: Path) -> str:
    rng = np.random.default_rng(1)
    network = Network()
    x = network.image(shape.x)
    (tmp_path / "model.tflite").write_bytes(network.build([x], [network.ordinary(x, shape, rng)]))
    with pytest.raises(Exception, match="operator 0") as error:
        compile_model(tmp_path / "model.tflite", tmp_path)
    return str(error.value)


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    options = {"Padding": VALID, "StrideH": 1, "StrideW": 1}
    wrong_size = Shape(CONV, (1, 5, 5, 2), (4, 3, 3, 2), (1, 4, 3, 4), options)
    assert "has the output [1, 4, 3, 4], which does not fit the input [1, 5, 5, 2]" in refusal(wrong_size, tmp_path)
    wrong_groups = Shape(CONV, (1, 5, 5, 4), (3, 3, 3, 2), (1, 3, 3, 3), options)
    assert "in 2 groups" in refusal(wrong_groups, tmp_path)
    two_images = Shape(CONV, (2, 5, 5, 2), (4, 3, 3, 2), (2, 3, 3, 4), options)
    assert "one image at a time" in refusal(two_images, tmp_path)
    no_step = Shape(CONV, (1, 5, 5, 2), (4, 3, 3, 2), (1, 5, 5, 4), {"Padding": SAME, "StrideH": 0, "StrideW": 1})
    assert "stride 0" in refusal(no_step, tmp_path)
    wrong_multiplier = Shape(DEPTHWISE, (1, 5, 5, 2), (1, 3, 3, 4), (1, 3, 3, 4), options | {"DepthMultiplier": 1})
    assert "in 2 groups" in refusal(wrong_multiplier, tmp_path)
