"""Recordings are put aside whole, by label, and the same ones for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.errors import HilError
from tflm_hil.recordings import Recording
from tflm_hil.training.split import split

WINDOW, STRIDE = 4, 2


def recording(name: str, label: str | None = None, rows: Sequence[str] | None = None) -> Recording:
    length = len(rows) if rows else 10
    return Recording(name, Path("set.csv"), label, np.zeros((length, 1), np.int16), list(rows) if rows else None, 50.0)


def plain(**counts: int) -> list[Recording]:
    return [recording(f"{label}/{number:03d}", label) for label, count in counts.items() for number in range(count)]


@given(
    counts=st.lists(st.integers(2, 30), min_size=2, max_size=4),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 2**32),
)
def test_every_label_is_on_both_sides_and_every_recording_on_one(counts: list[int], share: float, seed: int) -> None:
    labels = [f"label{number}" for number in range(len(counts))]
    recordings = plain(**dict(zip(labels, counts, strict=True)))
    sides = split(recordings, labels, WINDOW, STRIDE, share, seed)
    assert sorted(sides.training + sides.validation) == sorted(each.name for each in recordings)
    for label, count in zip(labels, counts, strict=True):
        aside = sum(name.startswith(f"{label}/") for name in sides.validation)
        assert aside == min(max(round(count * share), 1), count - 1)
    assert sides == split(recordings, labels, WINDOW, STRIDE, share, seed)


def test_another_seed_draws_others() -> None:
    recordings = plain(a=40, b=40)
    drawn = {split(recordings, ["a", "b"], WINDOW, STRIDE, 0.2, seed).validation for seed in range(3)}
    assert len(drawn) == 3


def test_parts_of_one_recording_stay_together() -> None:
    recordings = [recording(f"walk/{number:03d}.{part}", "walk") for number in range(20) for part in (1, 2, 3)]
    recordings += plain(run=20)
    sides = split(recordings, ["walk", "run"], WINDOW, STRIDE, 0.3, 1)
    stems = [
        {name.rpartition(".")[0] for name in side if name.startswith("walk")}
        for side in (sides.training, sides.validation)
    ]
    assert not stems[0] & stems[1]
    assert len(stems[1]) == 6


def test_recordings_with_a_label_for_each_row_are_not_divided() -> None:
    """The two that have `rare` have other labels besides, so neither is drawn for its sake alone."""
    mixed = [
        recording("one", rows=["a"] * 6 + ["b"] * 6 + ["rare"] * 6),
        recording("two", rows=["a"] * 6 + ["rare"] * 6),
    ]
    recordings = [*plain(a=5, b=5), *mixed]
    sides = split(recordings, ["a", "b", "rare"], WINDOW, STRIDE, 0.2, 1)
    assert ("two" in sides.validation) != ("one" in sides.validation)
    assert ("two" in sides.training) != ("two" in sides.validation)


def test_recordings_of_several_labels_are_drawn_as_well() -> None:
    mixed = [recording(name, rows=["a"] * 6 + ["b"] * 6) for name in ("one", "two")]
    sides = split([*plain(a=5, b=5), *mixed], ["a", "b"], WINDOW, STRIDE, 0.2, 1)
    assert len({"one", "two"} & set(sides.validation)) == 1


@pytest.mark.parametrize(
    ("recordings", "message"),
    [
        (plain(a=5, b=1), "label 'b' has windows in 1 recording only; it takes 2"),
        ([*plain(a=5), recording("x", rows=["a", "b"] * 5)], "label 'b' has no window of any recording; it takes 2"),
    ],
)
def test_too_few_recordings(recordings: list[Recording], message: str) -> None:
    with pytest.raises(HilError, match=message):
        split(recordings, ["a", "b"], WINDOW, STRIDE, 0.2, 1)
