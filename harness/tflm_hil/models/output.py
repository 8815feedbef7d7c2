"""What the numbers of a network's output mean: which answer they stand for, and whether it is the right one.

Every comparison, report and replay asks a `Meaning`; nothing else looks for a largest output. The kinds of answers
are in answers.py; here is what a manifest says of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from tflm_hil.models.answers import (
    JOINT,
    NONE,
    UNDECIDED,
    Classes,
    Numbers,
    Probabilities,
    Probability,
    Real,
    Truth,
    Unjudged,
)
from tflm_hil.recordings.loading import Recording

Threshold = Annotated[float, Meta(ge=-3.4e38, le=3.4e38)]
Positive = Annotated[float, Meta(gt=0, le=3.4e38)]


class OutputTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[output] of a manifest. `threshold` and `tolerance` are one number for all outputs, or one for each."""

    kind: Literal["classes", "probability", "probabilities", "numbers"]
    threshold: Threshold | Annotated[list[Threshold], Meta(min_length=1)] | None = None
    tolerance: Positive | Annotated[list[Positive], Meta(min_length=1)] | None = None
    unit: str | None = None

    def __post_init__(self) -> None:
        needed = {"probability": ("threshold",), "probabilities": ("threshold",), "numbers": ("tolerance",)}
        allowed = {**needed, "numbers": ("tolerance", "unit")}.get(self.kind, ())
        for key in ("threshold", "tolerance", "unit"):
            given = getattr(self, key) is not None
            if given and key not in allowed:
                raise ValueError(f'{key} does not go with kind = "{self.kind}"')
            if not given and key in needed.get(self.kind, ()):
                raise ValueError(f'kind = "{self.kind}" needs {key}')
        if self.kind == "probability" and isinstance(self.threshold, list):
            raise ValueError("one probability has one threshold, not a list")


class Meaning(Protocol):
    """How to read an output. `labels` are the single answers that there are; empty where answers are numbers.

    `note` says why accuracy is not judged, and is empty where it is.
    """

    @property
    def labels(self) -> tuple[str, ...]:
        """The single answers that there are."""
        ...

    @property
    def note(self) -> str:
        """Why accuracy is not judged."""
        ...

    def misfit(self, outputs: int, /) -> str:
        """Why a network of so many outputs cannot be meant, with the remedy; empty where it can."""
        ...

    def misread(self, label: str, /) -> str:
        """What a label of a recording should be instead; empty where it is fine."""
        ...

    def truths(self, recording: Recording, window: int, stride: int, /) -> list[Truth]:
        """What is right for each window of `recording`."""
        ...

    def answers(self, real: Real, /) -> NDArray[np.str_]:
        """The answer of each window, for people."""
        ...

    def differ(self, one: Real, other: Real, /) -> NDArray[np.bool_]:
        """Which windows have another answer in `one` than in `other`."""
        ...

    def right(self, real: Real, truths: Sequence[Truth], /) -> NDArray[np.bool_]:
        """Which windows have the right answer; never one whose truth is not known."""
        ...

    def members(self, answer: str, /) -> frozenset[str]:
        """The labels that hold where this is the answer, or the truth."""
        ...


def meaning(table: OutputTable | None, labels: Sequence[str]) -> Meaning:
    """What a manifest with this [output] and these labels says.

    Raises ValueError where the two do not go together.
    """
    names = tuple(labels)
    for name in names:
        if name in (NONE, UNDECIDED):
            raise ValueError(f"no label may be called {name}")
        if name != name.strip() or not name.isprintable():
            raise ValueError(f"label {name!r} has blanks around it or characters that cannot be shown")
    if table is None:
        return Classes(names) if len(names) > 1 else Unjudged(named=len(names))
    if table.kind == "numbers":
        if names:
            raise ValueError('labels do not go with [output] kind = "numbers"')
        return Numbers(_each(table.tolerance), table.unit or "")
    if table.kind == "probability":
        if len(names) != 2:
            raise ValueError(
                '[output] kind = "probability" takes two labels, the one below the threshold first; '
                f"there are {len(names)}"
            )
        return Probability(names, *_each(table.threshold))
    if table.kind == "probabilities":
        thresholds = _each(table.threshold)
        if not names or len(thresholds) not in (1, len(names)):
            raise ValueError(
                f"{len(names)} labels and {len(thresholds)} thresholds; give one threshold, or one a label"
            )
        for name in names:
            if JOINT in name:
                raise ValueError(f"label {name!r} contains {JOINT}, which joins labels that hold at the same time")
        return Probabilities(names, thresholds * (len(names) // len(thresholds)))
    if len(names) < 2:
        raise ValueError(f'[output] kind = "classes" takes a label for each of several outputs; there are {len(names)}')
    return Classes(names)


def _each(value: float | list[float] | None) -> tuple[float, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)
