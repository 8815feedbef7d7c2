"""The meaning of a network's output: which answer the numbers stand for, and whether it is right.

Every comparison and report asks a `Meaning`; no other code looks for the largest output. answers.py has the kinds of
answers; this module chooses one by the manifest.
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
    """[output] of a manifest. `threshold` and `tolerance` are one number for all outputs, or one per output."""

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
    """How to read an output: [windows, outputs] as real numbers, `Real`."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All possible labels; empty if answers are numbers."""
        ...

    @property
    def note(self) -> str:
        """Why accuracy is not judged; empty if it is."""
        ...

    def wrong_outputs(self, outputs: int, /) -> str:
        """Return why a network with this number of outputs does not fit, and how to mend it; empty if it fits."""
        ...

    def wrong_label(self, label: str, /) -> str:
        """Return what a label of a recording should be instead; empty if it is valid."""
        ...

    def truths(self, recording: Recording, window: int, stride: int, /) -> list[Truth]:
        """Return the right answer for each window of `recording`; `window` and `stride` are in rows."""
        ...

    def answers(self, real: Real, /) -> NDArray[np.str_]:
        """Return the answer for each window, as text."""
        ...

    def differ(self, one: Real, other: Real, /) -> NDArray[np.bool_]:
        """Return which windows have different answers in `one` and `other`."""
        ...

    def right(self, real: Real, truths: Sequence[Truth], /) -> NDArray[np.bool_]:
        """Return which windows have the right answer; a window with an unknown truth has not."""
        ...

    def members(self, answer: str, /) -> frozenset[str]:
        """Return the labels that hold if `answer` is the answer, or the truth."""
        ...


def meaning(table: OutputTable | None, labels: Sequence[str]) -> Meaning:
    """Return the meaning of outputs for a manifest with this [output] and these labels.

    Raises ValueError if the two do not fit together.
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
                f'[output] kind = "probability" takes two labels, not {len(names)}; give the one below the threshold '
                "first"
            )
        return Probability(names, *_each(table.threshold))
    if table.kind == "probabilities":
        thresholds = _each(table.threshold)
        if not names or len(thresholds) not in (1, len(names)):
            raise ValueError(
                f"{len(names)} labels and {len(thresholds)} thresholds; give one threshold, or one per label"
            )
        for name in names:
            if JOINT in name:
                raise ValueError(f"label {name!r} contains {JOINT}, which joins labels that hold at the same time")
        return Probabilities(names, thresholds * (len(names) // len(thresholds)))
    if len(names) < 2:
        raise ValueError(f'[output] kind = "classes" takes one label per output, at least 2, not {len(names)}')
    return Classes(names)


def _each(value: float | list[float] | None) -> tuple[float, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)
