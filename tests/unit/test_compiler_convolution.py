"""CONV_2D and DEPTHWISE_CONV_2D against upstream TFLM, over layers that hypothesis thinks up."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from compiler_helpers import FLAGS, KERNELS, SANITIZE, needs_gcc, run_generated, run_tflm
from convolution_cases import (
    CONV,
    DEPTHWISE,
    Network,
    Shape,
    convolutions,
    depthwise,
    kernels,
    layer_of_halves,
    random_convolution,
    residual_network,
    shape_of,
    shapes,
)
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import (
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
from many_models import check_many_models, many_models
from tflite_builder import OperatorSpec, TensorSpec, build

from harness.compiler import compile_model
from harness.compiler.window import SAME, VALID

pytestmark = needs_gcc


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


@cases
@given(convolutions(st.just(1), st.integers(1, 40)), seeds, activations)
def test_ordinary_convolutions_are_packed_and_bit_exact(shape: Shape, seed: int, activation: int) -> None:
    model, x = ordinary_layer(shape, seed, activation)
    assert check_bit_exact(model, [x]) == ["aot_conv_s8"]


depthwise_kernels = st.sampled_from([(3, 3), (3, 3), (3, 3), (1, 3), (3, 1), (2, 2)]) | kernels


@cases
@given(depthwise(depthwise_kernels, st.just((1, 1))), seeds, activations)
def test_ordinary_depthwise_convolutions_are_fast_and_bit_exact(shape: Shape, seed: int, activation: int) -> None:
    model, x = ordinary_layer(shape, seed, activation)
    assert check_bit_exact(model, [x])[0] in ("aot_depthwise_s8", "aot_conv_s8")


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


@pytest.mark.parametrize("kind", [CONV, DEPTHWISE])
def test_channels_that_cannot_change_are_not_computed(kind: str, tmp_path: Path) -> None:
    # As training leaves dead channels: tiny scales, and biases at the end of what the converter allows.
    shape = shape_of(kind, (5, 5, 4), 4, (3, 3))
    assert shape is not None
    weights = int8_values(np.random.default_rng(1), shape.weights, "random") // 2
    bias = [100, 2**30, -(2**30), -100]
    dead = one_layer(shape, weights, 8.0, bias, [0.5, 2.0**-28, 2.0**-29, 0.4])
    alive = one_layer(shape, weights, 8.0, [100, 0, 0, -100], [0.5, 0.5, 0.5, 0.4])
    kernel = "aot_conv_s8" if kind == CONV else "aot_depthwise_s8"
    sizes = []
    for model in (dead, alive):
        assert check_bit_exact(model, [image(shape)]) == [kernel]
        (tmp_path / "model.tflite").write_bytes(model)
        sizes.append(compile_model(tmp_path / "model.tflite", tmp_path).constant_bytes)
    assert sizes[0] < 0.75 * sizes[1]


def test_a_layer_of_nothing_but_dead_channels() -> None:
    shape = shape_of(CONV, (4, 3, 2), 3, (1, 1))
    model = one_layer(shape, np.ones(6, np.int8), 8.0, [2**20, -(2**20), 0], [1e-9])
    assert check_bit_exact(model, [image(shape)]) == ["aot_conv_s8"]


def test_a_channel_that_changes_by_one_step_is_no_constant() -> None:
    # Its factor is too small for the fast kernel, but the bias puts it where one more tips the balance.
    shape = shape_of(CONV, (1, 1, 4), 1, (1, 1))
    model = one_layer(shape, np.full(4, 127, np.int8), 0.5, [2**24 - 4 * 127 * 128 + 2000], [2.0**-25])
    for value in (-128, 127):
        assert check_bit_exact(model, [np.full((1, 1, 1, 4), value, np.int8)]) == ["aot_conv_s8_unpacked"]


def test_weights_that_do_not_fit_a_pair_use_the_unpacked_kernel() -> None:
    shape = shape_of(CONV, (3, 3, 8), 2, (1, 1))
    packable = np.array([[-128, 127] * 4, [1] * 8], np.int8)
    assert check_bit_exact(one_layer(shape, packable, 8.0), [image(shape)]) == ["aot_conv_s8"]
    unpackable = np.array([[-128, 127] * 4, [-1, 2] * 4], np.int8)
    assert check_bit_exact(one_layer(shape, unpackable, 8.0), [image(shape)]) == ["aot_conv_s8_unpacked"]


@pytest.mark.parametrize(("taps", "kernel"), [(516, "aot_conv_s8"), (517, "aot_conv_s8_unpacked")])
def test_rows_whose_sums_leave_23_bits_use_the_unpacked_kernel(taps: int, kernel: str) -> None:
    shape = shape_of(CONV, (2, 1, taps), 2, (1, 1))
    weights = np.full((2, taps), 127, np.int8)
    for value in (-128, 127):
        assert check_bit_exact(one_layer(shape, weights, 2e4), [np.full((1, 2, 1, taps), value, np.int8)]) == [kernel]


@pytest.mark.parametrize("exponent", range(-12, -1))
@pytest.mark.parametrize("kind", [CONV, DEPTHWISE])
def test_halves_are_rounded_away_from_zero(kind: str, exponent: int) -> None:
    model, shape = layer_of_halves(kind, exponent)
    kernel = "aot_conv_s8" if kind == CONV else "aot_depthwise_s8"
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


@cases
@given(convolutions(st.just(1)), seeds, activations, st.booleans(), st.floats(0.2, 5.0))
def test_a_convolution_and_the_add_behind_it_are_one_step(
    shape: Shape, seed: int, activation: int, conv_first: bool, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    network = Network()
    x, skip = network.image(shape.x), network.image(shape.y, scale, int(rng.integers(-128, 128)))
    conv = network.ordinary(x, shape, rng)
    largest = max(scale, float(network.tensors[conv].scales[0]))
    y = network.image(shape.y, largest, int(rng.integers(-128, 128)))
    inputs = [conv, skip] if conv_first else [skip, conv]
    network.operator("ADD", inputs, y, {"FusedActivationFunction": activation})
    values = [int8_values(rng, shape.x, "random"), int8_values(rng, shape.y, "random")]
    assert check_bit_exact(network.build([x, skip], [y]), values) == ["aot_conv_add_s8"]
    # Where somebody else wants the convolution's output, it must be there.
    assert check_bit_exact(network.build([x, skip], [y, conv]), values) == ["aot_conv_s8", "aot_add_s8"]


@pytest.mark.parametrize("skip_shape", [(1, 1, 1, 4), (4,)])
def test_an_add_that_broadcasts_stays_a_step_of_its_own(skip_shape: tuple[int, ...]) -> None:
    shape = shape_of(CONV, (5, 5, 3), 4, (3, 3))
    assert shape is not None
    rng = np.random.default_rng(2)
    network = Network()
    x, skip = network.image(shape.x), network.image(skip_shape)
    conv = network.ordinary(x, shape, rng)
    y = network.operator("ADD", [conv, skip], network.image(shape.y, 5.0))
    values = [int8_values(rng, shape.x, "random"), int8_values(rng, skip_shape, "random")]
    assert check_bit_exact(network.build([x, skip], [y]), values) == ["aot_conv_s8", "aot_add_s8"]


def test_random_convolutions_under_the_sanitisers(tmp_path: Path) -> None:
    models = [random_convolution(seed) for seed in range(40)]
    kernels = [str(path) for path in sorted(KERNELS.glob("aot_*.c"))]
    program = str(tmp_path / "program")
    sources = map(str, many_models(models, tmp_path))
    subprocess.run(["gcc", *FLAGS, *SANITIZE, "-o", program, *sources, *kernels], check=True)
    check_many_models(
        models, lambda stdin: subprocess.run([program], input=stdin, capture_output=True, check=True).stdout
    )


@pytest.mark.parametrize("keep_tensors", [False, True])
def test_a_residual_network_is_the_same_as_on_tflm(keep_tensors: bool, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(residual_network())
    rng = np.random.default_rng(5)
    runs = [[int8_values(rng, (1, 9, 7, 3), "random")] for _ in range(10)]
    for inputs, written in zip(runs, run_generated(model, tmp_path, runs, keep_tensors=keep_tensors), strict=True):
        expected = b"".join(values.tobytes() for values in run_tflm(model.read_bytes(), inputs))
        assert written[: len(expected)] == expected


def test_the_tensor_between_a_convolution_and_an_add_takes_no_memory(tmp_path: Path) -> None:
    # conv -> conv -> ADD with the first one's output: at most two of the three images of 4 KiB are alive at once.
    network = Network()
    rng = np.random.default_rng(3)
    x = network.image((1, 16, 16, 4))
    widen, same = shape_of(CONV, (16, 16, 4), 16, (3, 3)), shape_of(CONV, (16, 16, 16), 16, (3, 3))
    assert widen is not None
    assert same is not None
    skip = network.ordinary(x, widen, rng)
    total = network.image((1, 16, 16, 16), 500.0)
    network.operator("ADD", [skip, network.ordinary(network.ordinary(skip, same, rng), same, rng)], total)
    model = tmp_path / "model.tflite"
    model.write_bytes(network.build([x], [total]))
    compiled = compile_model(model, tmp_path)
    assert compiled.arena_lower_bound == 2 * 4096
    assert compiled.arena_bytes < 1.1 * compiled.arena_lower_bound


def chain(outputs: bool) -> bytes:
    """Three convolutions that keep the image's size. With `outputs`, all that they make is the network's output."""
    network = Network()
    rng = np.random.default_rng(4)
    images = [network.image((1, 10, 10, 8))]
    for kernel in ((1, 1), (3, 3), (1, 1)):
        shape = shape_of(CONV, (10, 10, 8), 8, kernel)
        assert shape is not None
        images.append(network.ordinary(images[-1], shape, rng))
    return network.build(images[:1], images[1:] if outputs else images[-1:])


@pytest.mark.parametrize(("outputs", "most"), [(False, 1.6), (True, 4.3)])
def test_a_convolution_writes_over_what_it_has_read_and_nobody_else_needs(
    outputs: bool, most: float, tmp_path: Path
) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(chain(outputs))
    compiled = compile_model(model, tmp_path / "compiled")
    assert (3 if outputs else 1) * 800 < compiled.arena_bytes < most * 800
    check_generated(model.read_bytes(), (1, 10, 10, 8), tmp_path)


def test_what_is_added_to_a_convolution_of_itself_is_not_overwritten_too_early(tmp_path: Path) -> None:
    network = Network()
    rng = np.random.default_rng(8)
    shape = shape_of(CONV, (3, 5, 24), 24, (1, 1))
    assert shape is not None
    x = network.image(shape.x)
    y = network.image(shape.y, 5.0)
    network.operator("ADD", [network.ordinary(x, shape, rng), x], y)
    check_generated(network.build([x], [y]), shape.x, tmp_path)


def test_what_is_read_beyond_an_image_may_be_read(tmp_path: Path) -> None:
    # One byte a pixel: the kernel reads three more.
    network = Network()
    shape = shape_of(CONV, (2, 2, 1), 8, (1, 1))
    assert shape is not None
    x = network.image(shape.x)
    y = network.ordinary(x, shape, np.random.default_rng(9))
    check_generated(network.build([x], [y]), shape.x, tmp_path)


def check_generated(content: bytes, shape: Sequence[int], folder: Path) -> None:
    """The generated program, under the sanitisers, writes what TFLM does."""
    model = folder / "model.tflite"
    model.write_bytes(content)
    runs = [[int8_values(np.random.default_rng(seed), tuple(shape), "random")] for seed in range(5)]
    for inputs, written in zip(runs, run_generated(model, folder, runs), strict=True):
        assert written == b"".join(values.tobytes() for values in run_tflm(content, inputs))


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
    assert "makes [1, 4, 3, 4] of [1, 5, 5, 2]" in refusal(wrong_size, tmp_path)
    wrong_groups = Shape(CONV, (1, 5, 5, 4), (3, 3, 3, 2), (1, 3, 3, 3), options)
    assert "in 2 groups" in refusal(wrong_groups, tmp_path)
    two_images = Shape(CONV, (2, 5, 5, 2), (4, 3, 3, 2), (2, 3, 3, 4), options)
    assert "one image at a time" in refusal(two_images, tmp_path)
    no_step = Shape(CONV, (1, 5, 5, 2), (4, 3, 3, 2), (1, 5, 5, 4), {"Padding": SAME, "StrideH": 0, "StrideW": 1})
    assert "stride 0" in refusal(no_step, tmp_path)
    wrong_multiplier = Shape(DEPTHWISE, (1, 5, 5, 2), (1, 3, 3, 4), (1, 3, 3, 4), options | {"DepthMultiplier": 1})
    assert "export it again" in refusal(wrong_multiplier, tmp_path)
