"""The kinds of answers that a network's output can stand for, and when an answer is right.

Outputs come here as real numbers [windows, outputs], already dequantized. An output that is not a number decides
nothing and is never right.

The public methods are those of `Meaning` in output.py, and documented there.
"""
# ruff: noqa: D102

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.recordings.loading import Recording
from tflm_hil.recordings.windows import window_count

UNDECIDED = "(NaN)"
"""The answer of a window of which an output is not a number."""
NONE = "(none)"
"""The answer of several independent probabilities that are all below their thresholds."""
JOINT = "+"
"""Joins the labels that hold at the same time."""

Real = NDArray[np.float64]
Truth = str | tuple[float, ...] | None
"""What is right for a window: a label, the numbers that the network should give, or None where it is not known."""


def truth_text(truth: Truth) -> str:
    """`truth` for people, a dash where it is not known."""
    if truth is None:
        return "-"
    return truth if isinstance(truth, str) else " ".join(f"{number:.6g}" for number in truth)


class _Labelled(ABC):
    """What the kinds of output have in common whose answers are labels."""

    note = ""
    labels: tuple[str, ...]

    def truths(self, recording: Recording, window: int, stride: int) -> list[Truth]:
        return list(recording.window_labels(window, stride))

    def answers(self, real: Real) -> NDArray[np.str_]:
        undecided = np.isnan(real).any(axis=1)
        return np.where(undecided, UNDECIDED, self._decided(np.nan_to_num(real, posinf=np.inf, neginf=-np.inf)))

    def differ(self, one: Real, other: Real) -> NDArray[np.bool_]:
        return np.asarray(self.answers(one) != self.answers(other))

    def right(self, real: Real, truths: Sequence[Truth]) -> NDArray[np.bool_]:
        wanted = np.array(["" if truth is None else self._spelt(str(truth)) for truth in truths], np.str_)
        return np.asarray(self.answers(real) == wanted)

    def misread(self, label: str) -> str:
        return "" if label in self.labels else f"one of {', '.join(self.labels)}"

    def members(self, answer: str) -> frozenset[str]:
        return frozenset({answer})

    def _spelt(self, truth: str) -> str:
        """`truth` in the way in which an answer is written."""
        return truth

    @abstractmethod
    def _decided(self, real: Real) -> NDArray[np.str_]:
        """The answer of each window, where no output is NaN."""


@dataclass(frozen=True)
class Classes(_Labelled):
    """One score a class; the largest decides, and the first of several that are equally large."""

    labels: tuple[str, ...]

    def misfit(self, outputs: int) -> str:
        if outputs == len(self.labels):
            return ""
        if outputs == 1 and len(self.labels) == 2:
            return (
                "2 labels, but the network has 1 output; if that is the probability of the second label, say so: "
                '[output] with kind = "probability" and threshold = 0.5'
            )
        return f"{len(self.labels)} labels, but the network has {outputs} outputs; give each output one label"

    def _decided(self, real: Real) -> NDArray[np.str_]:
        return np.asarray(np.array(self.labels)[real.argmax(axis=1)])


@dataclass(frozen=True)
class Probability(_Labelled):
    """One number: the second label from `threshold` on, the first one below it."""

    labels: tuple[str, ...]
    threshold: float

    def misfit(self, outputs: int) -> str:
        return "" if outputs == 1 else f"one probability, but the network has {outputs} outputs; correct [output]"

    def _decided(self, real: Real) -> NDArray[np.str_]:
        return np.asarray(np.array(self.labels)[(real[:, 0] >= self.threshold).astype(int)])


@dataclass(frozen=True)
class Probabilities(_Labelled):
    """Independent probabilities, a label and a threshold each: every label from its threshold on holds."""

    labels: tuple[str, ...]
    thresholds: tuple[float, ...]

    def misfit(self, outputs: int) -> str:
        if outputs == len(self.labels):
            return ""
        return f"{len(self.labels)} labels, but the network has {outputs} outputs; give each output one label"

    def misread(self, label: str) -> str:
        wrong = label != NONE and not self.members(label) <= set(self.labels)
        return f"{NONE}, or labels joined by {JOINT}: {', '.join(self.labels)}" if wrong else ""

    def members(self, answer: str) -> frozenset[str]:
        return frozenset() if answer in (NONE, UNDECIDED) else frozenset(answer.split(JOINT))

    def _spelt(self, truth: str) -> str:
        held = self.members(truth)
        return JOINT.join(label for label in self.labels if label in held) or NONE

    def _decided(self, real: Real) -> NDArray[np.str_]:
        holds, which = np.unique(real >= np.array(self.thresholds), axis=0, return_inverse=True)
        names = [JOINT.join(np.array(self.labels)[row].tolist()) or NONE for row in holds]
        return np.array(names)[which.reshape(-1)] if len(real) else np.empty(0, np.str_)


@dataclass(frozen=True)
class Numbers:
    """Numbers, of which each may be off by its tolerance, both in `unit`.

    Labels of recordings are numbers here, one an output with blanks between them. The truth of a window is the mean of
    its rows, and not known if a row has none.
    """

    tolerances: tuple[float, ...]
    unit: str
    labels: tuple[str, ...] = ()
    note: str = ""

    def misfit(self, outputs: int) -> str:
        if len(self.tolerances) in (1, outputs):
            return ""
        return f"{len(self.tolerances)} tolerances, but the network has {outputs} outputs; give one, or one for each"

    def misread(self, label: str) -> str:
        numbers = _numbers(label)
        fits = numbers and (len(self.tolerances) == 1 or len(numbers) == len(self.tolerances))
        return "" if fits else "the numbers that the network should give, with blanks between them"

    def truths(self, recording: Recording, window: int, stride: int) -> list[Truth]:
        count = window_count(len(recording.samples), window, stride)
        if recording.row_labels is None:
            return [_numbers(recording.label) if recording.label is not None else None] * count
        rows = [_numbers(label) if label is not None else None for label in recording.row_labels]
        return [_mean(rows[start : start + window]) for start in range(0, count * stride, stride)]

    def answers(self, real: Real) -> NDArray[np.str_]:
        unit = f" {self.unit}" if self.unit else ""
        return np.array([" ".join(f"{value:.6g}" for value in row) + unit for row in real], np.str_)

    def differ(self, one: Real, other: Real) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            near = np.abs(one - other) <= np.array(self.tolerances)
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        return np.asarray(~(near | same).all(axis=1))

    def right(self, real: Real, truths: Sequence[Truth]) -> NDArray[np.bool_]:
        unknown = (np.nan,) * real.shape[1]
        wanted = [unknown if truth is None else truth for truth in truths]
        if any(len(numbers) != real.shape[1] for numbers in wanted):
            raise HilError(f"a label of the recordings has not as many numbers as the network: {real.shape[1]}")
        with np.errstate(invalid="ignore"):
            near = np.abs(real - np.array(wanted, float).reshape(real.shape)) <= np.array(self.tolerances)
        return np.asarray(near.all(axis=1))

    def members(self, _answer: str) -> frozenset[str]:
        return frozenset()


@dataclass(frozen=True)
class Unjudged:
    """Numbers of which the manifest says nothing: they are compared with the reference's, and never called right."""

    labels: tuple[str, ...] = ()
    note: str = (
        "accuracy is not judged: model.toml does not say what the output means; give [output], "
        "or a label for each of several outputs"
    )
    named: int = 0
    """How many labels the manifest has: one is no choice."""

    def misfit(self, outputs: int) -> str:
        if self.named in (0, outputs):
            return ""
        return f"{self.named} labels, but the network has {outputs} outputs; give each output one label"

    def misread(self, _label: str) -> str:
        return ""

    def truths(self, recording: Recording, window: int, stride: int) -> list[Truth]:
        return [None] * window_count(len(recording.samples), window, stride)

    def answers(self, real: Real) -> NDArray[np.str_]:
        return np.array([" ".join(f"{value:.6g}" for value in row) for row in real], np.str_)

    def differ(self, one: Real, _other: Real) -> NDArray[np.bool_]:
        return np.zeros(len(one), bool)

    def right(self, real: Real, _truths: Sequence[Truth]) -> NDArray[np.bool_]:
        return np.zeros(len(real), bool)

    def members(self, _answer: str) -> frozenset[str]:
        return frozenset()


def _numbers(text: str) -> tuple[float, ...] | None:
    try:
        numbers = tuple(float(part) for part in text.split())
    except ValueError:
        return None
    return numbers if numbers and np.isfinite(numbers).all() else None


def _mean(rows: Sequence[tuple[float, ...] | None]) -> tuple[float, ...] | None:
    known = [row for row in rows if row is not None]
    if len(known) < len(rows) or len({len(row) for row in known}) != 1:
        return None
    return tuple(np.mean(known, axis=0).tolist())
