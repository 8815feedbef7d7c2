"""Comparing tensors: which differences are allowed, and how the others are reported."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tflm_hil.checks.parity import combine, compare_outputs
from tflm_hil.checks.tensors import compare_tensor
from tflm_hil.checks.tolerance import LOOSE, Tolerance, tolerances
from tflm_hil.compiler.operators.softmax import float_ulp_bound
from tflm_hil.models.preprocess import Quantization
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse

EXACT = Tolerance(0)
INT8 = Quantization(np.dtype(np.int8), 0.5, -3)
FLOAT32 = Quantization(np.dtype(np.float32))


def test_a_difference_counts_elements_and_names_the_worst_as_stored_and_as_real_number() -> None:
    reference = np.zeros((2, 3), np.int8)
    device = reference.copy()
    device[0, 1], device[1, 2] = 1, -128
    assert compare_tensor(reference, reference.copy(), EXACT, INT8) is None
    assert str(compare_tensor(device, reference, EXACT, INT8)) == (
        "2 of 6 elements differ; most at [1, 2]: device -128 (-62.5), reference 0 (1.5)"
    )


def test_floats_differ_beyond_their_tolerance_only() -> None:
    reference = np.array([1.0, 2.0, 0.0], np.float32)
    device = reference.copy()
    device.view(np.int32)[:2] += [2, 3]
    assert compare_tensor(device, reference, Tolerance(3), FLOAT32) is None
    difference = compare_tensor(device, reference, Tolerance(2), FLOAT32)
    assert difference is not None
    assert (difference.differing, difference.worst) == (1, (1,))
    assert "device 2.00000072, reference 2" in str(difference)


def test_a_nan_is_the_worst_difference_unless_both_have_it() -> None:
    reference = np.array([1.0, np.nan, 3.0], np.float32)
    assert compare_tensor(reference.copy(), reference, Tolerance(None), FLOAT32) is None
    device = np.array([np.nan, np.nan, 9.0], np.float32)
    for tolerance in (Tolerance(5), Tolerance(None)):
        difference = compare_tensor(device, reference, tolerance, FLOAT32)
        assert difference is not None
        assert (difference.differing, difference.worst) == (2, (0,))


def test_without_a_bound_in_ulp_a_fraction_of_the_largest_magnitude_is_allowed() -> None:
    reference = np.array([100.0, 1e-3], np.float32)
    near, far = (reference + np.array([0, share * LOOSE * 100], np.float32) for share in (0.9, 1.1))
    assert compare_tensor(near, reference, Tolerance(None), FLOAT32) is None
    assert compare_tensor(far, reference, Tolerance(None), FLOAT32) is not None


def test_an_infinite_element_does_not_excuse_the_others() -> None:
    reference = np.array([np.inf, 1.0, 2.0], np.float32)
    device = np.array([np.inf, 1.00001, 3.0], np.float32)
    difference = compare_tensor(device, reference, Tolerance(None), FLOAT32)
    assert difference is not None
    assert (difference.differing, difference.worst) == (1, (2,))


def test_integers_computed_from_inexact_numbers_may_differ_by_one_step() -> None:
    reference = np.array([5, -128], np.int8)
    device = np.array([6, -126], np.int8)
    for tolerance, differing in ((EXACT, 2), (Tolerance(4), 1), (Tolerance(None), 1)):
        difference = compare_tensor(device, reference, tolerance, INT8)
        assert difference is not None
        assert difference.differing == differing


def test_shapes_and_types_must_agree() -> None:
    with pytest.raises(ValueError, match=r"device \(2,\) int8, reference \(2,\) float32"):
        compare_tensor(np.zeros(2, np.int8), np.zeros(2, np.float32), EXACT, INT8)


def test_only_what_comes_after_an_exponential_may_differ() -> None:
    tensors = [
        TensorSpec([1, 5], TensorType.FLOAT32, data=np.ones((1, 5), np.float32) if i == 1 else None) for i in range(7)
    ]
    add = {"FusedActivationFunction": 0}
    operators = [
        OperatorSpec("ADD", [0, 1], [2], add),
        OperatorSpec("SOFTMAX", [2], [3], {"Beta": 1.0}),
        OperatorSpec("RELU", [3], [4]),
        OperatorSpec("ADD", [4, 2], [5], add),
        OperatorSpec("RELU", [5], [6]),
    ]
    found = tolerances(parse(build(tensors, operators, [0], [6])))
    bound = float_ulp_bound(5)
    assert {index: tolerance.ulp for index, tolerance in found.items()} == {
        0: 0,
        1: 0,
        2: 0,
        3: bound,
        4: bound,
        5: None,
        6: None,
    }


def test_functions_of_the_c_library_have_no_bound_in_ulp() -> None:
    tensors = [TensorSpec([1, 5], TensorType.FLOAT32) for _ in range(2)]
    graph = parse(build(tensors, [OperatorSpec("EXP", [0], [1])], [0], [1]))
    assert tolerances(graph) == {0: Tolerance(0), 1: Tolerance(None)}


def test_integer_operators_are_exact() -> None:
    tensors = [TensorSpec([1, 5], TensorType.INT8, [1 / 256], [-128]) for _ in range(2)]
    graph = parse(build(tensors, [OperatorSpec("SOFTMAX", [0], [1], {"Beta": 1.0})], [0], [1]))
    assert tolerances(graph) == {0: Tolerance(0), 1: Tolerance(0)}


def test_an_operator_without_inputs_is_exact() -> None:
    tensors = [TensorSpec([1, 5], TensorType.FLOAT32), TensorSpec([], TensorType.RESOURCE)]
    graph = parse(build(tensors, [OperatorSpec("VAR_HANDLE", [], [1])], [0], [0]))
    assert tolerances(graph) == {0: Tolerance(0), 1: Tolerance(0)}


def test_parity_of_tensors_names_case_and_output() -> None:
    zeros: list[NDArray[Any]] = [np.zeros(4, np.int8), np.zeros((1, 2), np.float32)]
    wrong: list[NDArray[Any]] = [zeros[0], np.array([[0, 1]], np.float32)]
    parts = [
        compare_outputs(name, device, zeros, [EXACT] * 2, [INT8, FLOAT32])
        for name, device in [("a", zeros), ("b", wrong)]
    ]
    parity = combine(parts)
    assert (parity.windows, parity.label_mismatches, parity.bit_exact, parity.max_abs_diff) == (2, 1, False, 1.0)
    assert [str(mismatch) for mismatch in parity.mismatches] == [
        "b: output 1: 1 of 2 elements differ; most at [0, 1]: device 1, reference 0"
    ]
