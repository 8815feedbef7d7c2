"""PRELU against upstream TFLM: broadcasting, quantizations, constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc
from support.kernel_cases import FLOAT32, INT8, cases, check_bit_exact, int8_values, scales, seeds, zero_points
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build

pytestmark = needs_gcc


@st.composite
def shapes(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """The shape of x, with up to four dimensions, and a shape of alpha that broadcasts to it."""
    x = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    alpha = [draw(st.sampled_from([1, size])) for size in x]
    return x, alpha[draw(st.integers(0, len(alpha) - 1)) :]


def check(x: TensorSpec, alpha: TensorSpec, y: TensorSpec, values: list[npt.NDArray[Any]], constant: bool) -> None:
    if constant:
        alpha.data = values.pop()
    content = build([x, alpha, y], [OperatorSpec("PRELU", [0, 1], [2])], [0] if constant else [0, 1], [2])
    kernel = "aot_prelu_s8" if y.type is INT8 else "aot_prelu_f32"
    assert check_bit_exact(content, values) == [kernel]


@cases
@given(
    seeds, shapes(), st.tuples(scales, scales, scales), st.tuples(zero_points, zero_points, zero_points), st.booleans()
)
@example(1, ([2, 3], [3]), (0.05, 0.01, 0.05), (-128, 127, 0), True)
@example(2, ([4], [1]), (2.0, 2.0, 0.001), (0, 0, 0), False)
def test_int8_is_bit_exact(
    seed: int,
    shape: tuple[list[int], list[int]],
    scale: tuple[float, float, float],
    zero_point: tuple[int, int, int],
    constant: bool,
) -> None:
    # With larger factors the result in TFLM depends on how its compiler treats an overflow.
    assume(max(1, 255 * scale[1]) * scale[0] / scale[2] < 2**22)
    rng = np.random.default_rng(seed)
    x, alpha, y = (
        TensorSpec(s, INT8, [scale[i]], [zero_point[i]]) for i, s in enumerate((shape[0], shape[1], shape[0]))
    )
    check(x, alpha, y, [int8_values(rng, x.shape, "random"), int8_values(rng, alpha.shape, "random")], constant)


@cases
@given(seeds, shapes(), st.booleans())
def test_float32_is_bit_exact(seed: int, shape: tuple[list[int], list[int]], constant: bool) -> None:
    rng = np.random.default_rng(seed)
    values = [rng.normal(0, 1, s).astype(np.float32) for s in shape]
    values[0].flat[0] = rng.choice(np.array([0.0, -0.0, 1e-40, -1e-40, 3e38, -3e38], np.float32))
    x, alpha, y = (TensorSpec(s, FLOAT32) for s in (*shape, shape[0]))
    check(x, alpha, y, values, constant)


def test_an_output_of_another_shape_is_refused() -> None:
    x, alpha, y = (TensorSpec(s, FLOAT32) for s in ([3], [2, 3], [3]))
    with pytest.raises(HilError, match=r"has the output shape \[3\] instead of \[2, 3\]; export the model again"):
        check(x, alpha, y, [np.zeros(3, np.float32), np.zeros((2, 3), np.float32)], False)
