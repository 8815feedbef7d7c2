"""What single tests measured, as they hand it over.

Tests may run in other processes (pytest-xdist), so it is made of builtins only: a `Contribution`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

from tflm_hil.checks.attribution import Step
from tflm_hil.checks.confusion import class_counts
from tflm_hil.checks.parity import Parity
from tflm_hil.models.output import Meaning


class RunKey(TypedDict):
    """What tells one run from another."""

    model: str
    variant: str
    engine: str
    board: str
    emulator: str | None
    target: str


class ParityPart(TypedDict):
    """The countable part of a `Parity`, and its oracle.

    `max_abs_diff` is None where an output is no number. `confusions` are triples of truth, answer and windows;
    `classes` are the fields of `ClassCount`.
    """

    windows: int
    label_mismatches: int
    bit_exact: bool
    max_abs_diff: float | None
    max_ulp: int
    labelled: int
    correct_device: int
    correct_reference: int
    oracle: str
    confusions: list[list[Any]]
    classes: list[dict[str, Any]]


class AttributionPart(TypedDict):
    """The steps as dictionaries, in order, and why some are left out."""

    steps: list[dict[str, Any]]
    notes: list[str]


class LatencyPart(TypedDict):
    """Pairs of a count and how often it was measured: of inferences, of preparing their windows, and of both."""

    unit: str
    invoke: list[list[int]]
    prepare: list[list[int]]
    window: list[list[int]]


class StreamPart(TypedDict):
    """What went over the wire: windows answered, bytes sent, seconds, frames sent again, faults mended."""

    windows: int
    bytes: int
    seconds: float
    retried: int
    faults: int


class Contribution(TypedDict, total=False):
    """What one test adds to its run."""

    firmware: dict[str, Any]
    stack_peak_bytes: int
    parity: ParityPart
    attribution: AttributionPart
    latency: LatencyPart
    stream: StreamPart
    trace: str


def parity_part(parity: Parity[Any], oracle: str, meaning: Meaning | None = None) -> ParityPart:
    """The countable part of `parity`; `meaning` names the classes of its answers."""
    return ParityPart(
        windows=parity.windows,
        label_mismatches=parity.label_mismatches,
        bit_exact=parity.bit_exact,
        max_abs_diff=_finite(parity.max_abs_diff),
        max_ulp=parity.max_ulp,
        labelled=parity.labelled,
        correct_device=parity.correct_device,
        correct_reference=parity.correct_reference,
        oracle=oracle,
        confusions=[[*pair, windows] for pair, windows in sorted(parity.confusions.items())],
        classes=[asdict(count) for count in class_counts(parity.confusions, meaning)] if meaning else [],
    )


def attribution_part(steps: Sequence[Step], notes: Sequence[str]) -> AttributionPart:
    """`steps` as what travels between processes."""
    return AttributionPart(
        steps=[asdict(step) | {"max_abs_diff": _finite(step.max_abs_diff)} for step in steps], notes=list(notes)
    )


def latency_part(unit: str, invoke: Sequence[int], prepare: Sequence[int]) -> LatencyPart:
    """The histograms of counts: a session has thousands of them, but few distinct ones.

    `prepare` has one for each inference, or is empty where the host prepares the inputs.
    """
    whole = [sum(pair) for pair in zip(prepare, invoke, strict=True)] if prepare else []
    return LatencyPart(unit=unit, invoke=_histogram(invoke), prepare=_histogram(prepare), window=_histogram(whole))


def _finite(value: float) -> float | None:
    """JSON knows no infinity, and no number that is none."""
    return value if math.isfinite(value) else None


def _histogram(counts: Iterable[int]) -> list[list[int]]:
    return [[count, times] for count, times in sorted(Counter(counts).items())]
