"""SOFTMAX and the exponential beneath it, against upstream TFLM and against float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc, run_tflm
from support.host_kernels import exp_f32, run_kernels
from support.kernel_cases import (
    FLOAT32,
    INT8,
    cases,
    check_bit_exact,
    fillings,
    int8_values,
    scales,
    seeds,
    zero_points,
)
from tflm_hil.compiler.operators.softmax import float_ulp_bound
from tflm_hil.models.tflite_builder import TensorSpec, unary

pytestmark = needs_gcc


@cases
@given(seeds, st.integers(1, 3), st.integers(1, 300), scales, st.floats(0.01, 4.0), zero_points, fillings)
@example(seed=0, rows=1, depth=2, scale=1e6, beta=1.0, zero_point=0, filling="ends")
def test_softmax_int8_is_bit_exact(
    seed: int, rows: int, depth: int, scale: float, beta: float, zero_point: int, filling: str
) -> None:
    assume(beta * scale > 2**-26)
    x = TensorSpec([rows, depth], INT8, [scale], [zero_point])
    y = TensorSpec([rows, depth], INT8, [1 / 256], [-128])
    values = int8_values(np.random.default_rng(seed), (rows, depth), filling)
    check_bit_exact(unary("SOFTMAX", x, y, {"Beta": beta}), [values])


def test_softmax_int8_of_very_many_equal_elements_is_zero() -> None:
    # TFLM aborts from 512 on. A thousandth is nearer to 0 than to 1/256.
    x, y = TensorSpec([1, 1000], INT8, [1.0], [0]), TensorSpec([1, 1000], INT8, [1 / 256], [-128])
    outputs, _ = run_kernels(unary("SOFTMAX", x, y, {"Beta": 1.0}), [np.zeros((1, 1000), np.int8)])
    np.testing.assert_array_equal(outputs[0], -128)


@cases
@given(seeds, st.integers(1, 3), st.integers(1, 40), st.floats(0.01, 4.0), st.sampled_from([0.1, 1.0, 10.0, 100.0]))
def test_softmax_float32_stays_within_its_bound(seed: int, rows: int, depth: int, beta: float, size: float) -> None:
    spec = TensorSpec([rows, depth], FLOAT32)
    values = np.random.default_rng(seed).normal(0, size, (rows, depth)).astype(np.float32)
    model = unary("SOFTMAX", spec, spec, {"Beta": beta})
    ours = run_kernels(model, [values])[0][0].view(np.int32).astype(np.int64)
    theirs = run_tflm(model, [values])[0].view(np.int32).astype(np.int64)
    assert np.abs(ours - theirs).max() <= float_ulp_bound(depth)


@pytest.mark.parametrize(("way", "bound"), [("integers", 0.52), ("floats", 0.57)])
def test_exp_is_within_its_bound(way: str, bound: float) -> None:
    rng = np.random.default_rng(0)
    powers_of_two = np.arange(-150, 129) * np.log(2)
    x = np.concatenate([rng.uniform(-105, 90, 20000), rng.normal(0, 1e-3, 2000), powers_of_two]).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    finite = exact < np.finfo(np.float32).max
    unit = np.maximum(2.0 ** (np.floor(np.log2(exact[finite])) - 23), 2.0**-149)
    assert (np.abs(exp_f32(x[finite], way) - exact[finite]) / unit).max() <= bound
    assert np.all(np.isinf(exp_f32(x[~finite], way)))


@pytest.mark.parametrize("way", ["integers", "floats"])
def test_exp_of_what_is_not_an_ordinary_number(way: str) -> None:
    x = np.array([0.0, -0.0, 1e-40, np.inf, -np.inf, np.nan, -200.0, 200.0], np.float32)
    np.testing.assert_array_equal(exp_f32(x, way), [1, 1, 1, np.inf, 0, np.nan, 0, np.inf])
