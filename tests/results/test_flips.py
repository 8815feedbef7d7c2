"""Predictions that flipped, read from two results files and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tflm_hil.errors import HilError
from tflm_hil.models.output import OutputTable, meaning
from tflm_hil.models.preprocess import Quantization
from tflm_hil.results.comparison import Flip
from tflm_hil.results.flips import flips
from tflm_hil.results.groups import MeaningFigures
from tflm_hil.results.model import Run

LABELS = ["left", "right"]


def run(
    outputs: Mapping[str, Sequence[Sequence[float]]],
    dtype: Any = "int8",
    table: OutputTable | None = None,
    labels: list[str] = LABELS,
    truths: dict[str, list[tuple[str, int]]] | None = None,
) -> Run:
    """A run as it is after results.json has been written and read again."""
    scale, zero_point = (0.0, 0) if dtype == "float32" else (1 / 256, -128)
    how = MeaningFigures(dtype, 2, 8, scale, zero_point, labels, table, dict.fromkeys(outputs, "00"), truths or {})
    made = Run("m", "int8", "aot", "emulated", "qemu 7", "stm32f4", "pass", meaning=how)
    made.outputs = {name: np.array(rows, dtype).tobytes().hex() for name, rows in outputs.items()}
    return msgspec.json.decode(msgspec.json.encode(made), type=Run)


def test_a_flip_has_its_window_its_labels_its_scores_and_its_truth() -> None:
    before = run({"punch/1": [[127, -128], [0, -1], [-128, 127]]})
    now = run({"punch/1": [[126, -127], [0, 1], [-128, 127]]}, truths={"punch/1": [("left", 2), ("right", 1)]})
    assert flips(before, now) == [
        Flip("punch/1", 1, 8, "left", "right", [128 / 256, 127 / 256], [128 / 256, 129 / 256], "left")
    ]
    assert flips(now, now) == []


OUTPUTS = st.lists(st.lists(st.integers(-128, 127), min_size=2, max_size=2), min_size=1, max_size=8)


@settings(max_examples=50)
@given(
    OUTPUTS,
    st.randoms(use_true_random=False),
    st.sampled_from([None, OutputTable("probabilities", threshold=0.5), OutputTable("numbers", tolerance=0.1)]),
)
def test_flips_are_what_the_meaning_of_the_model_says(
    rows: list[list[int]], random: Any, table: OutputTable | None
) -> None:
    other = [[random.randint(-128, 127) for _ in row] for row in rows]
    labels = [] if table and table.kind == "numbers" else LABELS
    found = flips(run({"r": rows}, table=table, labels=labels), run({"r": other}, table=table, labels=labels))
    how, quantization = meaning(table, labels), Quantization(np.dtype(np.int8), 1 / 256, -128)
    differ = how.differ(*(quantization.real(np.array(each, np.int8)) for each in (rows, other)))
    assert [flip.window for flip in found] == np.flatnonzero(differ).tolist()


def test_scores_that_are_no_number_can_be_written_and_read() -> None:
    before, now = (run({"r": [[score, 0.5]]}, "float32") for score in (1.0, float("nan")))
    (flip,) = flips(before, now)
    assert (flip.label_before, flip.label_now, flip.now) == ("left", "(NaN)", [None, 0.5])
    assert msgspec.json.decode(msgspec.json.encode(flip), type=Flip) == flip


def test_windows_of_other_rows_are_not_compared() -> None:
    before, now = run({"r": [[1, 0]], "s": [[1, 0]]}), run({"r": [[0, 1], [0, 1]], "s": [[0, 1]], "t": [[0, 1]]})
    assert now.meaning
    now.meaning.inputs["s"] = "edited"
    assert flips(before, now) == []


def test_other_labels_are_compared_as_text() -> None:
    before, now = run({"r": [[1, 0], [0, 1]]}), run({"r": [[1, 0], [0, 1]]}, labels=["left", "up"])
    assert [(flip.window, flip.label_before, flip.label_now) for flip in flips(before, now)] == [(1, "right", "up")]


def test_a_run_without_outputs_has_no_flips() -> None:
    now = run({"r": [[0, 1]]})
    without = Run("m", "int8", "aot", "emulated", "qemu 7", "stm32f4", "pass")
    assert flips(without, now) == flips(now, without) == []


def test_stale_answers_are_not_those_of_this_session() -> None:
    before, now = run({"r": [[1, 0]]}), run({"r": [[0, 1]]})
    assert flips(before, now)
    now.stale = ["meaning"]
    assert flips(before, now) == []


@pytest.mark.parametrize("damage", ["zz", "010"])
def test_outputs_that_somebody_edited_badly_are_told(damage: str) -> None:
    before, now = run({"r": [[0, 1]]}), run({"r": [[0, 1]]})
    before.outputs["r"] = now.outputs["r"] = damage
    if damage == "010":
        before.outputs["r"] = now.outputs["r"] = "01"
    with pytest.raises(HilError, match="measure it again"):
        flips(before, now)
