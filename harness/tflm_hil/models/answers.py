"""The kinds of answers that a network can give, and when an answer is right.

Outputs are real numbers [windows, outputs] here, already dequantized. An output that is NaN decides nothing and is
never right.

The public methods implement `Meaning` of output.py, which documents them.
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
"""The answer for a window that has an output of NaN."""
NONE = "(none)"
"""The answer of independent probabilities that are all below their thresholds."""
JOINT = "+"
"""Joins labels that hold at the same time."""

Real = NDArray[np.float64]
Truth = str | tuple[float, ...] | None
"""The right answer for a window: a label, the numbers that the network should give, or None if it is unknown."""


def truth_text(truth: Truth) -> str:
    """Return `truth` as text, a dash if it is unknown."""
    if truth is None:
        return "-"
    return truth if isinstance(truth, str) else " ".join(f"{number:.6g}" for number in truth)


class _Labelled(ABC):
    """The common part of all kinds of output whose answers are labels."""

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
        wanted = np.array(["" if truth is None else self._as_answer(str(truth)) for truth in truths], np.str_)
        return np.asarray(self.answers(real) == wanted)

    def wrong_label(self, label: str) -> str:
        return "" if label in self.labels else f"one of {', '.join(self.labels)}"

    def members(self, answer: str) -> frozenset[str]:
        return frozenset({answer})

    def _as_answer(self, truth: str) -> str:
        """`truth`, written like an answer."""
        return truth

    @abstractmethod
    def _decided(self, real: Real) -> NDArray[np.str_]:
        """The answer for each window; no output is NaN."""


@dataclass(frozen=True)
class Classes(_Labelled):
    """One score per class; the largest one decides, and the first one if several are equal."""

    labels: tuple[str, ...]

    def wrong_outputs(self, outputs: int) -> str:
        if outputs == len(self.labels):
            return ""
        if outputs == 1 and len(self.labels) == 2:
            return (
                "2 labels, but the network has 1 output; if that is the probability of the second label, add "
                '[output] with kind = "probability" and threshold = 0.5'
            )
        return f"{len(self.labels)} labels, but the network has {outputs} outputs; give each output one label"

    def _decided(self, real: Real) -> NDArray[np.str_]:
        return np.asarray(np.array(self.labels)[real.argmax(axis=1)])


@dataclass(frozen=True)
class Probability(_Labelled):
    """One number: the second label if it is at least `threshold`, else the first one."""

    labels: tuple[str, ...]
    threshold: float

    def wrong_outputs(self, outputs: int) -> str:
        return "" if outputs == 1 else f"one probability, but the network has {outputs} outputs; correct [output]"

    def _decided(self, real: Real) -> NDArray[np.str_]:
        return np.asarray(np.array(self.labels)[(real[:, 0] >= self.threshold).astype(int)])


@dataclass(frozen=True)
class Probabilities(_Labelled):
    """Independent probabilities: each label holds if its probability is at least its threshold."""

    labels: tuple[str, ...]
    thresholds: tuple[float, ...]

    def wrong_outputs(self, outputs: int) -> str:
        if outputs == len(self.labels):
            return ""
        return f"{len(self.labels)} labels, but the network has {outputs} outputs; give each output one label"

    def wrong_label(self, label: str) -> str:
        wrong = label != NONE and not self.members(label) <= set(self.labels)
        return f"{NONE}, or labels joined by {JOINT}: {', '.join(self.labels)}" if wrong else ""

    def members(self, answer: str) -> frozenset[str]:
        return frozenset() if answer in (NONE, UNDECIDED) else frozenset(answer.split(JOINT))

    def _as_answer(self, truth: str) -> str:
        held = self.members(truth)
        return JOINT.join(label for label in self.labels if label in held) or NONE

    def _decided(self, real: Real) -> NDArray[np.str_]:
        holds, which = np.unique(real >= np.array(self.thresholds), axis=0, return_inverse=True)
        names = [JOINT.join(np.array(self.labels)[row].tolist()) or NONE for row in holds]
        return np.array(names)[which.reshape(-1)] if len(real) else np.empty(0, np.str_)


@dataclass(frozen=True)
class Numbers:
    """Numbers, each with a tolerance, both in `unit`.

    A label of a recording holds one number per output, separated by blanks. The truth of a window is the mean of the
    labels of its rows; it is unknown if a row has no label.
    """

    tolerances: tuple[float, ...]
    unit: str
    labels: tuple[str, ...] = ()
    note: str = ""

    def wrong_outputs(self, outputs: int) -> str:
        if len(self.tolerances) in (1, outputs):
            return ""
        return f"{len(self.tolerances)} tolerances, but the network has {outputs} outputs; give one, or one per output"

    def wrong_label(self, label: str) -> str:
        numbers = _numbers(label)
        fits = numbers and (len(self.tolerances) == 1 or len(numbers) == len(self.tolerances))
        return "" if fits else "the numbers that the network should give, separated by blanks"

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
            raise HilError(
                f"a label of the recordings does not have {real.shape[1]} numbers, as many as the network has outputs; "
                "correct the labels"
            )
        with np.errstate(invalid="ignore"):
            near = np.abs(real - np.array(wanted, float).reshape(real.shape)) <= np.array(self.tolerances)
        return np.asarray(near.all(axis=1))

    def members(self, _answer: str) -> frozenset[str]:
        return frozenset()


@dataclass(frozen=True)
class Unjudged:
    """Numbers without a meaning in the manifest: compared with those of the reference, but never right."""

    labels: tuple[str, ...] = ()
    note: str = (
        "accuracy is not judged: model.toml does not say what the output means; add [output], "
        "or one label per output if there are several"
    )
    named: int = 0
    """The number of labels in the manifest: none or one, because a single label is no choice."""

    def wrong_outputs(self, outputs: int) -> str:
        if self.named in (0, outputs):
            return ""
        return f"{self.named} labels, but the network has {outputs} outputs; give each output one label"

    def wrong_label(self, _label: str) -> str:
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
