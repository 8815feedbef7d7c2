"""The meaning of outputs: which answer they stand for, and whether it is right. Unknown answers are never right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.checks.attribution import attribute
from tflm_hil.checks.parity import compare
from tflm_hil.checks.tolerance import Tolerance
from tflm_hil.errors import HilError
from tflm_hil.models.answers import NONE, UNDECIDED, Truth
from tflm_hil.models.chain import Stage
from tflm_hil.models.output import Meaning, OutputTable, meaning
from tflm_hil.models.preprocess import Quantization
from tflm_hil.recordings import Recording

NAN, INF = float("nan"), float("inf")
CLASSES = meaning(None, ["a", "b", "c"])
PROBABILITY = meaning(OutputTable("probability", threshold=0.5), ["still", "wave"])
PROBABILITIES = meaning(OutputTable("probabilities", threshold=[0.5, 0.25]), ["left", "right"])
NUMBERS = meaning(OutputTable("numbers", tolerance=[0.5, 2.0], unit="m/s"), [])


def real(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, np.float64)


def recording(label: str | None, row_labels: list[str | None] | None = None, rows: int = 6) -> Recording:
    return Recording("r", Path("r.csv"), label, np.zeros((rows, 1), np.int16), row_labels, 50.0)


def test_the_largest_class_decides_and_the_first_one_among_equals() -> None:
    outputs = real((0, 1, 0), (2, 2, 1), (-INF, 0, INF))
    assert CLASSES.answers(outputs).tolist() == ["b", "a", "c"]
    assert CLASSES.right(outputs, ["b", "b", None]).tolist() == [True, False, False]


def test_one_probability_decides_by_its_threshold() -> None:
    outputs = real((0.49,), (0.5,), (0.51,))
    assert PROBABILITY.answers(outputs).tolist() == ["still", "wave", "wave"]
    assert PROBABILITY.right(outputs, ["wave", "wave", "still"]).tolist() == [False, True, False]


def test_probabilities_are_independent_and_all_must_be_right() -> None:
    outputs = real((0.6, 0.3), (0.6, 0.2), (0.4, 0.3), (0.0, 0.0))
    assert PROBABILITIES.answers(outputs).tolist() == ["left+right", "left", "right", NONE]
    assert PROBABILITIES.right(outputs, ["right+left", "left+right", "right", NONE]).tolist() == [
        True,
        False,
        True,
        True,
    ]
    assert PROBABILITIES.wrong_label("left+up") == f"{NONE}, or labels joined by +: left, right"
    assert not PROBABILITIES.wrong_label("right+left")
    assert not PROBABILITIES.wrong_label(NONE)
    assert PROBABILITIES.answers(np.empty((0, 2))).tolist() == []


def test_numbers_are_right_within_the_tolerance_of_each() -> None:
    outputs = real((1.0, 10.0), (1.5, 12.0), (1.6, 10.0), (1.0, 12.5))
    truth = [(1.0, 10.0)] * 4
    assert NUMBERS.right(outputs, truth).tolist() == [True, True, False, False]
    assert NUMBERS.answers(outputs[:1]).tolist() == ["1 10 m/s"]
    assert NUMBERS.differ(outputs, outputs + 0.25).tolist() == [False] * 4
    assert NUMBERS.differ(outputs, outputs + 0.75).tolist() == [True] * 4


def test_the_truth_of_numbers_is_the_mean_of_the_rows_and_unknown_if_a_row_has_none() -> None:
    assert NUMBERS.truths(recording("1.5 20"), 4, 2) == [(1.5, 20.0)] * 2
    rows: list[str | None] = ["0 1", "1 2", "2 3", "3 4", None, "5 6"]
    assert NUMBERS.truths(recording(None, rows), 4, 2) == [(1.5, 2.5), None]
    assert NUMBERS.wrong_label("fast") == "the numbers that the network should give, separated by blanks"
    assert NUMBERS.wrong_label("1.5")
    assert not NUMBERS.wrong_label("1.5 -2e3")


def test_labels_with_a_wrong_number_of_numbers_are_refused() -> None:
    numbers = meaning(OutputTable("numbers", tolerance=1.0), [])
    with pytest.raises(HilError, match="does not have 3 numbers, as many as the network has outputs"):
        numbers.right(real((1, 2, 3)), [(1.0, 2.0)])


@pytest.mark.parametrize("kind", [CLASSES, PROBABILITY, PROBABILITIES, NUMBERS, meaning(None, [])])
@given(data=st.data())
def test_an_output_that_is_not_a_number_is_never_right(kind: Meaning, data: st.DataObject) -> None:
    of = {CLASSES: 3, PROBABILITY: 1, PROBABILITIES: 2, NUMBERS: 2}.get(kind, 2)
    values = data.draw(st.lists(st.floats(), min_size=of, max_size=of))
    values[data.draw(st.integers(0, of - 1))] = NAN
    truths: list[Truth] = [*kind.labels, NONE] if kind is not NUMBERS else [tuple(values), (0.0, 0.0)]
    for truth in truths:
        assert kind.right(real(tuple(values)), [truth]).tolist() == [False]


@given(st.lists(st.tuples(st.floats(width=32), st.floats(width=32), st.floats(width=32)), min_size=1))
def test_many_windows_get_the_same_answers_as_each_one_alone(rows: list[tuple[float, float, float]]) -> None:
    for kind in (CLASSES, meaning(OutputTable("probabilities", threshold=0.5), ["a", "b", "c"])):
        together = kind.answers(real(*rows)).tolist()
        assert together == [kind.answers(real(row)).item() for row in rows]


def test_without_a_meaning_accuracy_is_not_judged_and_a_note_says_why() -> None:
    for labels in ([], ["wave"]):
        nothing = meaning(None, labels)
        assert "accuracy is not judged" in nothing.note
        assert nothing.wrong_outputs(1) == ""
        assert nothing.truths(recording("wave"), 4, 2) == [None, None]
    assert "1 labels, but the network has 2 outputs" in meaning(None, ["wave"]).wrong_outputs(2)
    assert 'kind = "probability"' in meaning(None, ["still", "wave"]).wrong_outputs(1)


def test_quantized_outputs_are_dequantized_before_the_threshold() -> None:
    sigmoid = Quantization(np.dtype(np.int8), 1 / 256, -128)  # a stored 0 means 0.5
    stored = np.array([[-1], [0], [127]], np.int8)
    parity = compare("r", stored, stored, PROBABILITY, ["still", "wave", "still"], 1, quantization=sigmoid)
    assert (parity.labelled, parity.correct_device, parity.correct_reference) == (3, 2, 2)


def test_outputs_without_a_meaning_are_still_compared() -> None:
    nothing = meaning(None, [])
    device, reference = np.array([[1], [2]], np.int8), np.array([[1], [3]], np.int8)
    parity = compare("r", device, reference, nothing, [None, None], 1)
    assert (parity.label_mismatches, parity.labelled, len(parity.mismatches)) == (1, 0, 1)
    near = np.array([[1.0]], np.float32)
    within = compare("r", np.nextafter(near, 2, dtype=np.float32), near, nothing, [None], 1, Tolerance(1))
    assert not within.mismatches, "a difference within the tolerance is not another answer"


def test_attribution_uses_the_same_meaning() -> None:
    stages = [Stage("trained", real((0.6,), (0.4,))), Stage("device", real((NAN,), (0.4,)))]
    trained, device = attribute(stages, PROBABILITY, ["wave", "still"])
    assert (trained.correct, device.correct, device.lost, device.label_changes) == (2, 1, 1, 1)


@pytest.mark.parametrize(
    ("table", "labels", "said"),
    [
        (OutputTable("probability", threshold=0.5), ["wave"], "takes two labels"),
        (OutputTable("probabilities", threshold=[0.5, 0.5]), ["a", "b", "c"], "give one threshold, or one per label"),
        (OutputTable("probabilities", threshold=0.5), ["a+b", "c"], "contains"),
        (OutputTable("classes"), ["a"], "takes one label per output, at least 2, not 1"),
        (OutputTable("numbers", tolerance=1.0), ["a"], "labels do not go with"),
        (None, [UNDECIDED, "b"], "no label may be called"),
    ],
)
def test_labels_that_do_not_fit_the_kind_are_refused(table: OutputTable | None, labels: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        meaning(table, labels)


@pytest.mark.parametrize(
    ("kind", "outputs"), [(CLASSES, 2), (PROBABILITY, 2), (PROBABILITIES, 1), (NUMBERS, 3)], ids=["c", "p", "ps", "n"]
)
def test_a_network_with_a_wrong_number_of_outputs_is_refused(kind: Meaning, outputs: int) -> None:
    assert kind.wrong_outputs(outputs)
