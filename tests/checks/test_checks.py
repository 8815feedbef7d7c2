"""Parity, ULP distances, latency and budgets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.checks.budget import over_budget
from tflm_hil.checks.latency import summarize
from tflm_hil.checks.parity import combine, compare
from tflm_hil.checks.tolerance import Tolerance, ulp_distance
from tflm_hil.compiler.operators.softmax import float_ulp_bound
from tflm_hil.models.output import meaning

PUNCH_OR_FLEX = meaning(None, ["punch", "flex"])
floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


def int8(*rows: tuple[int, int]) -> np.ndarray:
    return np.array(rows, np.int8)


def test_equal_integers_are_bit_exact() -> None:
    outputs = int8((127, -128), (-128, 127))
    parity = compare("a", outputs, outputs.copy(), PUNCH_OR_FLEX, ["punch", "flex"], 5)
    assert (parity.windows, parity.bit_exact, parity.mismatches) == (2, True, ())
    assert (parity.correct_device, parity.correct_reference, parity.labelled) == (2, 2, 2)


def test_one_lsb_is_a_mismatch_that_names_the_window_and_both_sides() -> None:
    parity = compare("session_1", int8((1, 0), (5, 3)), int8((1, 0), (4, 3)), PUNCH_OR_FLEX, [None, None], 5)
    assert not parity.bit_exact
    assert parity.max_abs_diff == 1
    assert parity.label_mismatches == 0
    (mismatch,) = parity.mismatches
    assert (mismatch.window, mismatch.first_row) == (1, 5)
    assert str(mismatch) == "window 1 of session_1 (from row 5): device punch [5, 3], reference punch [4, 3]"


def test_differences_of_int8_do_not_wrap() -> None:
    parity = compare("a", int8((-128, 0)), int8((127, 0)), PUNCH_OR_FLEX, [None], 1)
    assert parity.max_abs_diff == 255
    assert parity.label_mismatches == 1


def test_accuracy_counts_labelled_windows_only() -> None:
    device, reference = int8((1, 0), (1, 0), (0, 1)), int8((1, 0), (0, 1), (0, 1))
    parity = compare("a", device, reference, PUNCH_OR_FLEX, ["punch", "flex", None], 1)
    assert (parity.labelled, parity.correct_device, parity.correct_reference) == (2, 1, 2)


def test_floats_may_differ_within_the_bound_but_not_beyond() -> None:
    reference = np.array([[0.25, 0.75]], np.float32)
    bound = float_ulp_bound(2)
    allowed = Tolerance(bound)
    near, far = reference.copy(), reference.copy()
    near.view(np.int32)[0, 0] += bound
    far.view(np.int32)[0, 0] += bound + 1
    assert not compare("a", near, reference, PUNCH_OR_FLEX, [None], 1, allowed).mismatches
    assert compare("a", far, reference, PUNCH_OR_FLEX, [None], 1, allowed).mismatches
    assert compare("a", near, reference, PUNCH_OR_FLEX, [None], 1, allowed).max_ulp == bound


def test_a_nan_from_the_device_is_a_mismatch() -> None:
    parity = compare("a", np.array([[np.nan, 0]], np.float32), np.zeros((1, 2), np.float32), PUNCH_OR_FLEX, [None], 1)
    assert len(parity.mismatches) == 1


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"a: device \(1, 2\) int8, reference \(2, 2\) int8"):
        compare("a", int8((1, 0)), int8((1, 0), (1, 0)), PUNCH_OR_FLEX, [None], 1)


def test_combined_parity_keeps_the_worst_and_adds_the_rest() -> None:
    good = compare("a", int8((1, 0)), int8((1, 0)), PUNCH_OR_FLEX, ["punch"], 1)
    bad = compare("b", int8((9, 0)), int8((1, 0)), PUNCH_OR_FLEX, ["flex"], 1)
    both = combine([good, bad])
    assert (both.windows, both.bit_exact, both.max_abs_diff, both.correct_device) == (2, False, 8, 1)
    assert [mismatch.recording for mismatch in both.mismatches] == ["b"]


@given(floats, floats)
def test_ulp_distance_is_symmetric_and_zero_only_for_equals(a: float, b: float) -> None:
    x, y = np.array([a], np.float32), np.array([b], np.float32)
    assert ulp_distance(x, y) == ulp_distance(y, x)
    assert (ulp_distance(x, y)[0] == 0) == (a == b)


@given(floats, st.integers(0, 1000))
def test_ulp_distance_counts_the_steps_of_nextafter(start: float, steps: int) -> None:
    first = value = np.float32(start)
    with np.errstate(over="ignore"):
        for _ in range(steps):
            value = np.nextafter(value, np.float32(np.inf))
    if np.isfinite(value):
        assert ulp_distance(np.array([first]), np.array([value]))[0] == steps


@given(st.lists(st.integers(0, 10**9), min_size=1))
def test_latency_figures_are_ordered_and_were_all_measured(counts: list[int]) -> None:
    latency = summarize("instructions", counts)
    assert latency.min <= latency.median <= latency.p99 <= latency.max
    assert {latency.min, latency.median, latency.p99, latency.max} <= set(counts)


def test_percentiles_are_nearest_rank() -> None:
    latency = summarize("cycles", range(1, 201))
    assert (latency.count, latency.median, latency.p99) == (200, 100, 198)


def test_no_measurement_is_an_error_not_a_zero() -> None:
    with pytest.raises(ValueError, match="no inference"):
        summarize("cycles", [])


def test_only_figures_beyond_their_limit_are_excesses() -> None:
    rows = [("flash", 10, 10), ("stack", 9, None), ("arena", 1011, 1000)]
    excess = over_budget([(what, f"{what}_bytes", measured, limit, "bytes") for what, measured, limit in rows])
    assert [each.name for each in excess] == ["arena_bytes"]
    assert list(map(str, excess)) == ["arena: 1,011 bytes, 11 over the budget of 1,000"]
