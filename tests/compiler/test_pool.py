"""AVERAGE_POOL_2D and MAX_POOL_2D against upstream TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc
from support.kernel_cases import (
    FLOAT32,
    INT8,
    activations,
    cases,
    check_bit_exact,
    fillings,
    int8_values,
    scales,
    seeds,
    zero_points,
)
from tflm_hil.compiler.graph.sliding_window import SAME, VALID
from tflm_hil.models.tflite_builder import TensorSpec, unary

pytestmark = needs_gcc

kinds = st.sampled_from(["AVERAGE_POOL_2D", "MAX_POOL_2D"])


@st.composite
def layers(draw: st.DrawFn) -> tuple[list[int], list[int], dict[str, Any]]:
    """Input shape, output shape and options of a pooling."""
    shape = [1, *(draw(st.integers(1, high)) for high in (9, 9, 5))]
    options = {
        "Padding": draw(st.sampled_from([SAME, VALID])),
        "FilterHeight": draw(st.integers(1, 7)),
        "FilterWidth": draw(st.integers(1, 7)),
        "StrideH": draw(st.integers(1, 4)),
        "StrideW": draw(st.integers(1, 4)),
        "FusedActivationFunction": draw(activations),
    }
    assume(options["Padding"] == SAME or (options["FilterHeight"] <= shape[1] and options["FilterWidth"] <= shape[2]))
    rows, columns = (
        len(
            range(
                0,
                size if options["Padding"] == SAME else size - options[f"Filter{name}"] + 1,
                options[f"Stride{name[0]}"],
            )
        )
        for size, name in zip(shape[1:3], ("Height", "Width"), strict=True)
    )
    return shape, [1, rows, columns, shape[3]], options


@cases
@given(seeds, kinds, layers(), scales, zero_points, fillings)
def test_int8_is_bit_exact(
    seed: int,
    kind: str,
    layer: tuple[list[int], list[int], dict[str, Any]],
    scale: float,
    zero_point: int,
    filling: str,
) -> None:
    shape, output_shape, options = layer
    x, y = (TensorSpec(one, INT8, [scale], [zero_point]) for one in (shape, output_shape))
    check_bit_exact(unary(kind, x, y, options), [int8_values(np.random.default_rng(seed), shape, filling)])


@cases
@given(seeds, kinds, layers())
def test_float32_is_bit_exact(seed: int, kind: str, layer: tuple[list[int], list[int], dict[str, Any]]) -> None:
    shape, output_shape, options = layer
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 4, shape).astype(np.float32)
    if kind == "MAX_POOL_2D":
        # Not for averages: x86 and Arm give a NaN that they make of infinities different signs.
        odd = rng.choice(np.array([np.inf, -np.inf, np.nan, -0.0], np.float32), shape)
        values = np.where(rng.integers(0, 20, shape) == 0, odd, values)
    check_bit_exact(unary(kind, TensorSpec(shape, FLOAT32), TensorSpec(output_shape, FLOAT32), options), [values])


@pytest.mark.parametrize("height", [25, 49])
def test_a_large_average_is_bit_exact(height: int) -> None:
    # As at the end of a keyword spotting network; sums beyond 16 bits.
    x, y = (TensorSpec([1, rows, 13, 3], INT8, [0.1], [-128]) for rows in (height, 1))
    y.shape = [1, 1, 1, 3]
    options = {"Padding": VALID, "FilterHeight": height, "FilterWidth": 13, "StrideH": height, "StrideW": 13}
    check_bit_exact(unary("AVERAGE_POOL_2D", x, y, options), [np.full((1, height, 13, 3), 127, np.int8)])
