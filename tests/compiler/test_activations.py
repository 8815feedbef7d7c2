"""Activations except RELU and RELU6 against upstream TFLM: int8 for every input, float32 within its bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc, run_tflm
from support.host_kernels import run_kernels
from support.kernel_cases import FLOAT32, INT8, cases, check_bit_exact, scales, zero_points
from tflm_hil.compiler.operators.activations import FLOAT_ULP_BOUNDS
from tflm_hil.models.tflite_builder import TensorSpec, unary

pytestmark = needs_gcc

EVERY = np.arange(-128, 128, dtype=np.int8).reshape(1, 256)


def check_every_input(kind: str, source: tuple[float, int], target: tuple[float, int], options: Any = None) -> None:
    x, y = (TensorSpec([1, 256], INT8, [scale], [zero_point]) for scale, zero_point in (source, target))
    assert check_bit_exact(unary(kind, x, y, options), [EVERY]) == ["aot_table_s8"]


@cases
@given(scales | st.floats(10, 1e6), zero_points)
@example(2.0**-27, 0)
@example(2.0**30, 0)
def test_logistic_int8_is_bit_exact_for_every_input(scale: float, zero_point: int) -> None:
    check_every_input("LOGISTIC", (scale, zero_point), (1 / 256, -128))


@cases
@given(scales | st.floats(10, 1e6), zero_points)
@example(2.0**-27, 0)
@example(2.0**30, 0)
def test_tanh_int8_is_bit_exact_for_every_input(scale: float, zero_point: int) -> None:
    check_every_input("TANH", (scale, zero_point), (1 / 128, 0))


@cases
@given(scales, st.floats(1e-4, 1e4), zero_points, zero_points)
@example(1.0, 1e-6, -128, 127)
@example(0.05, 1 / 0.05, 127, -128)
def test_elu_int8_is_bit_exact_for_every_input(
    scale: float, ratio: float, zero_point: int, output_zero_point: int
) -> None:
    # With larger ratios the result in TFLM depends on how its compiler treats an overflow.
    assume(max(1, 255 * scale) / (scale * ratio) < 2**30)
    check_every_input("ELU", (scale, zero_point), (scale * ratio, output_zero_point))


@cases
@given(scales, scales, zero_points, zero_points, st.floats(-2, 2, width=32) | st.sampled_from([0.0, 0.01, 0.3, 1.0]))
def test_leaky_relu_int8_is_bit_exact_for_every_input(
    scale: float, output_scale: float, zero_point: int, output_zero_point: int, alpha: float
) -> None:
    # Beyond, TFLM's result is whatever its compiler made of an overflow.
    assume(max(1, abs(alpha)) * scale / output_scale < 2**22)
    check_every_input("LEAKY_RELU", (scale, zero_point), (output_scale, output_zero_point), {"Alpha": alpha})


@cases
@given(st.floats(1e-5, 100), st.floats(0.009, 100), zero_points, zero_points)
def test_hard_swish_int8_is_bit_exact_for_every_input(
    scale: float, ratio: float, zero_point: int, output_zero_point: int
) -> None:
    check_every_input("HARD_SWISH", (scale, zero_point), (scale * ratio, output_zero_point))


def float_layer(kind: str, values: npt.NDArray[np.float32], options: Any = None) -> tuple[Any, Any]:
    """Our result and TFLM's."""
    spec = TensorSpec([1, values.size], FLOAT32)
    model = unary(kind, spec, spec, options)
    return run_kernels(model, [values.reshape(1, -1)])[0][0], run_tflm(model, [values.reshape(1, -1)])[0]


def everything(seed: int) -> npt.NDArray[np.float32]:
    """Floats of all magnitudes, more of them where activations bend, and those that are special."""
    rng = np.random.default_rng(seed)
    ordinary = [
        rng.normal(0, 4, 4000),
        rng.uniform(-20, 20, 4000),
        rng.normal(0, 1, 2000) * 10.0 ** rng.uniform(-40, 38, 2000),
    ]
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, -9.0, 16.619047, 0.625, -0.625, 1e-45, -1e-45, 9.02, 3.0, -3.0]
    return np.concatenate([*ordinary, special]).astype(np.float32)


@pytest.mark.parametrize("kind", ["ELU", "LOGISTIC", "TANH"])
@pytest.mark.parametrize("seed", range(5))
def test_float32_stays_within_its_bound(kind: str, seed: int) -> None:
    values = everything(seed)
    ours, theirs = float_layer(kind, values)
    numbers = ~np.isnan(theirs)
    assert np.array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.array_equal(np.signbit(ours[numbers]), np.signbit(theirs[numbers]))
    difference = ours[numbers].view(np.int32).astype(np.int64) - theirs[numbers].view(np.int32)
    assert np.abs(difference).max() <= FLOAT_ULP_BOUNDS[kind]


@pytest.mark.parametrize(("kind", "function"), [("ELU", np.expm1), ("TANH", np.tanh)])
def test_results_are_within_two_units_of_the_true_value(kind: str, function: Any) -> None:
    values = everything(9)
    values = values[(np.abs(values) < 20) & ((values < 0) | (kind == "TANH"))]
    ours, _ = float_layer(kind, values)
    exact = function(values.astype(np.longdouble))
    unit = np.maximum(2.0 ** (np.floor(np.log2(np.maximum(np.abs(exact), 1e-50))) - 23), 2.0**-149)
    assert (np.abs(ours[0] - exact) / unit).max() <= 2


@pytest.mark.parametrize(
    ("kind", "options"), [("LEAKY_RELU", {"Alpha": 0.3}), ("LEAKY_RELU", {"Alpha": -1.5}), ("HARD_SWISH", None)]
)
def test_float32_is_bit_exact(kind: str, options: Any) -> None:
    values = everything(1)
    # x86 and Arm give a NaN that they make of infinities different signs.
    ours, theirs = float_layer(kind, values[np.isfinite(values)], options)
    assert ours.tobytes() == theirs.tobytes()
