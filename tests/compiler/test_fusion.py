"""Convolutions and the ADD behind them as one step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc, run_tflm
from support.convolution_cases import (
    CONV,
    Network,
    Shape,
    convolutions,
    residual_network,
    shape_of,
)
from support.generated_programs import run_generated
from support.kernel_cases import (
    SUMS,
    activations,
    cases,
    check_bit_exact,
    int8_values,
    seeds,
)
from tflm_hil.compiler import compile_model

pytestmark = needs_gcc

RELU = 1


@cases
# A convolution of one channel may be computed as a depthwise one, which takes no ADD.
@given(convolutions(st.just(1), st.integers(2, 9)), seeds, activations, st.booleans(), st.floats(0.2, 5.0))
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
    kernels = check_bit_exact(network.build([x, skip], [y, conv]), values)
    assert kernels[0].startswith("aot_conv_s8")
    assert kernels[1] in SUMS


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
    assert check_bit_exact(network.build([x, skip], [y]), values) == ["aot_conv_s8_small_padded", "aot_add_s8"]


def test_an_add_behind_a_convolution_that_is_computed_as_a_depthwise_one_stays_a_step_of_its_own() -> None:
    shape = shape_of(CONV, (5, 5, 1), 4, (3, 3))
    assert shape is not None
    rng = np.random.default_rng(2)
    network = Network()
    x, skip = network.image(shape.x), network.image(shape.y)
    y = network.operator("ADD", [network.ordinary(x, shape, rng), skip], network.image(shape.y, 5.0))
    values = [int8_values(rng, shape.x, "random"), int8_values(rng, shape.y, "random")]
    first, second = check_bit_exact(network.build([x, skip], [y]), values)
    assert first == "aot_depthwise_s8_3x3"
    assert second in SUMS


def test_a_convolution_that_limits_its_outputs_stays_a_step_of_its_own() -> None:
    shape = shape_of(CONV, (5, 5, 3), 4, (3, 3))
    assert shape is not None
    rng = np.random.default_rng(2)
    network = Network()
    x, skip = network.image(shape.x), network.image(shape.y)
    # RELU above a zero point of 10: nothing is below 10.
    weights = int8_values(rng, shape.weights, "random")
    conv = network.convolution(x, shape, weights, None, [0.01], (5.1, 10), RELU)
    y = network.operator("ADD", [conv, skip], network.image(shape.y, 5.3))
    values = [int8_values(rng, shape.x, "random"), int8_values(rng, shape.y, "random")]
    assert check_bit_exact(network.build([x, skip], [y]), values) == ["aot_conv_s8_small_padded", "aot_add_s8"]


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
