"""ADD, SUB and MUL against upstream TFLM: broadcasting, quantizations, activations, constants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc
from support.kernel_cases import (
    FLOAT32,
    INT8,
    SUMS,
    activations,
    broadcast_shapes,
    cases,
    check_bit_exact,
    fillings,
    int8_values,
    scales,
    seeds,
    zero_points,
)
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build

pytestmark = needs_gcc

kinds = st.sampled_from(["ADD", "SUB", "MUL"])


def model(
    kind: str, tensors: list[TensorSpec], constant: int | None, values: list[npt.NDArray[Any]], activation: int
) -> tuple[bytes, list[npt.NDArray[Any]]]:
    """The operator on two tensors, the one numbered `constant` with its values in the file; and the inputs."""
    inputs = [0, 1]
    if constant is not None:
        tensors[constant].data = values[constant]
        inputs.remove(constant)
    operator = OperatorSpec(kind, [0, 1], [2], {"FusedActivationFunction": activation})
    return build(tensors, [operator], inputs, [2]), [values[i] for i in inputs]


@cases
@given(
    seeds,
    kinds,
    broadcast_shapes(),
    st.tuples(scales, scales, st.floats(1e-3, 1e3)),
    st.tuples(zero_points, zero_points, zero_points),
    activations,
    st.tuples(fillings, fillings),
    st.sampled_from([None, 0, 1]),
)
def test_int8_is_bit_exact(
    seed: int,
    kind: str,
    shape: tuple[list[int], list[int], list[int]],
    scale: tuple[float, float, float],
    zero_point: tuple[int, int, int],
    activation: int,
    filling: tuple[str, str],
    constant: int | None,
) -> None:
    rng = np.random.default_rng(seed)
    natural = scale[0] * scale[1] * 127 if kind == "MUL" else max(scale[:2])
    output_scale = max(natural * scale[2], 1e-6)
    if kind == "MUL":
        assume(scale[0] * scale[1] / output_scale < 2**14)
    else:
        assume(2 * max(scale[:2]) / output_scale < 2**19)
    specs = [
        TensorSpec(size, INT8, [factor], [zero])
        for size, factor, zero in zip(shape, (*scale[:2], output_scale), zero_point, strict=True)
    ]
    values = [int8_values(rng, size, kind) for size, kind in zip(shape[:2], filling, strict=True)]
    check_bit_exact(*model(kind, specs, constant, list(values), activation))


@settings(cases, max_examples=50)
@given(
    seeds,
    st.sampled_from(["ADD", "SUB"]),
    broadcast_shapes(),
    st.permutations([0.05, 0.03, 0.06]),
    st.tuples(zero_points, zero_points, zero_points),
    activations,
)
def test_sums_whose_halves_are_rounded_by_chance_are_bit_exact(
    seed: int,
    kind: str,
    shape: tuple[list[int], list[int], list[int]],
    scale: list[float],
    zero_point: tuple[int, int, int],
    activation: int,
) -> None:
    # Many sums of these scales are halves, but for what float32 and TFLM's roundings make of them.
    rng = np.random.default_rng(seed)
    specs = [
        TensorSpec(size, INT8, [factor], [zero]) for size, factor, zero in zip(shape, scale, zero_point, strict=True)
    ]
    values = [int8_values(rng, size, "random") for size in shape[:2]]
    check_bit_exact(*model(kind, specs, None, list(values), activation))


def every_pair(kind: str, scale: tuple[float, float, float], zero_point: tuple[int, int, int]) -> str:
    """The kernel that computes the operator on every pair of stored values, which it must do as TFLM does."""
    every = np.arange(-128, 128, dtype=np.int8)
    shapes = ([256, 1], [256], [256, 256])
    specs = [TensorSpec(*spec) for spec in zip(shapes, [INT8] * 3, zip(scale), zip(zero_point), strict=True)]
    (kernel,) = check_bit_exact(*model(kind, specs, None, [every.reshape(256, 1), every], 0))
    return kernel


@pytest.mark.parametrize("kind", ["ADD", "SUB"])
@pytest.mark.parametrize(
    ("scale", "zero_point", "kernels"),
    [
        ((0.0512, 0.0333, 0.0617), (3, -7, 11), ["aot_add_s8"]),
        ((0.0333, 0.0512, 0.0617), (127, -128, 127), ["aot_add_s8"]),
        ((0.5, 0.5, 1.0), (-128, -128, -128), ["aot_add_s8"]),
        ((0.05, 0.03, 0.06), (3, -7, 11), ["aot_add_s8_tabled"]),
        ((0.03, 0.05, 0.06), (3, -7, 11), ["aot_add_s8_tabled"]),
        ((1.0, 0.25, 1.5), (3, -7, 11), SUMS),
        ((1.0, 1.0, 1e-5), (5, 5, 5), SUMS),
        ((0.05, 0.03, 2.0), (127, -128, 127), SUMS),
        ((0.05, 1e-6, 0.05), (-128, 127, -128), SUMS),
    ],
)
def test_every_pair_is_summed_as_by_tflm(
    kind: str, scale: tuple[float, float, float], zero_point: tuple[int, int, int], kernels: Sequence[str]
) -> None:
    assert every_pair(kind, scale, zero_point) in kernels


@pytest.mark.parametrize(
    ("factor", "kernel"), [(0.49, "aot_multiply_s8"), (0.51, "aot_multiply_s8_rescaled"), (2.0**-20, "aot_multiply_s8")]
)
@pytest.mark.parametrize("zero_point", [(3, -7, 11), (-128, 127, -128)])
def test_every_pair_is_multiplied_as_by_tflm(factor: float, zero_point: tuple[int, int, int], kernel: str) -> None:
    assert every_pair("MUL", (0.25, 0.5, 0.125 / factor), zero_point) == kernel


@cases
@given(
    seeds,
    kinds,
    broadcast_shapes(),
    activations,
    st.sampled_from([1e-30, 1.0, 100.0, 1e30]),
    st.sampled_from([None, 0, 1]),
)
def test_float32_is_bit_exact(
    seed: int,
    kind: str,
    shape: tuple[list[int], list[int], list[int]],
    activation: int,
    size: float,
    constant: int | None,
) -> None:
    rng = np.random.default_rng(seed)
    values: list[npt.NDArray[Any]] = [np.asarray(rng.normal(0, size, one), np.float32) for one in shape[:2]]
    values[0].ravel()[:1] = rng.choice(np.array([np.inf, -np.inf, np.nan, -0.0, 0.0], np.float32))
    specs = [TensorSpec(one, FLOAT32) for one in shape]
    check_bit_exact(*model(kind, specs, constant, values, activation))


@cases
@given(seeds, st.sampled_from(["ADD", "SUB"]), st.floats(0.25, 1.0), zero_points)
def test_scales_are_divided_in_the_precision_that_tflm_uses(
    seed: int, kind: str, ratio: float, zero_point: int
) -> None:
    # Every pair of int8 values, so that whatever a multiplier's last bit can change is seen.
    rng = np.random.default_rng(seed)
    first = np.float32(rng.uniform(0.01, 1))
    second, output = np.float32(first * ratio), np.float32(first * rng.uniform(0.5, 1))
    every = np.arange(-128, 128, dtype=np.int8)
    specs = [
        TensorSpec([256, 1], INT8, [first], [0]),
        TensorSpec([256], INT8, [second], [zero_point]),
        TensorSpec([256, 256], INT8, [output], [0]),
    ]
    check_bit_exact(*model(kind, specs, None, [every.reshape(256, 1), every], 0))
