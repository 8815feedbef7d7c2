"""Confusion: which labels are mistaken for which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tflm_hil.models.answers import UNDECIDED, Truth
from tflm_hil.models.output import Meaning

Confusions = Mapping[tuple[str, str], int]
"""The number of windows for each (truth, answer)."""


@dataclass(frozen=True)
class ClassCount:
    """Counts for one label: windows with this truth, windows with this answer, and windows with both."""

    label: str
    windows: int
    answered: int
    right: int


def confusions(answers: Iterable[str], truths: Sequence[Truth]) -> Confusions:
    """Count the windows whose truth is a label; others have no entry."""
    pairs = zip(truths, answers, strict=True)
    return Counter((truth, str(answer)) for truth, answer in pairs if isinstance(truth, str))


def class_counts(counts: Confusions, meaning: Meaning) -> list[ClassCount]:
    """Return the counts for each label of `meaning`, in its order."""
    shown = {pair: (meaning.members(pair[0]), _members(pair[1], meaning)) for pair in counts}
    return [
        ClassCount(
            label,
            windows=sum(counts[pair] for pair, (truth, _) in shown.items() if label in truth),
            answered=sum(counts[pair] for pair, (_, answer) in shown.items() if label in answer),
            right=sum(counts[pair] for pair, (truth, answer) in shown.items() if label in truth & answer),
        )
        for label in meaning.labels
    ]


def _members(answer: str, meaning: Meaning) -> frozenset[str]:
    return frozenset() if answer == UNDECIDED else meaning.members(answer)
