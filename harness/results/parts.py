"""What single tests measured, as they hand it over.

Tests may run in other processes (pytest-xdist), so it is made of builtins only: a `Contribution`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, TypedDict

from harness.checks.attribution import Step
from harness.checks.parity import Parity


class RunKey(TypedDict):
    """What tells one run from another."""

    model: str
    variant: str
    engine: str
    board: str
    emulator: str | None
    target: str


class ParityPart(TypedDict):
    """The countable part of a `Parity`, and its oracle."""

    windows: int
    label_mismatches: int
    bit_exact: bool
    max_abs_diff: float
    max_ulp: int
    labelled: int
    correct_device: int
    correct_reference: int
    oracle: str


class AttributionPart(TypedDict):
    """The steps as dictionaries, in order, and why some are left out."""

    steps: list[dict[str, Any]]
    notes: list[str]


class LatencyPart(TypedDict):
    """Pairs of a count and how often it was measured: of whole inferences and of preparing their windows."""

    unit: str
    invoke: list[list[int]]
    prepare: list[list[int]]


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


def parity_part(parity: Parity[Any], oracle: str) -> ParityPart:
    """The countable part of `parity`."""
    return ParityPart(
        windows=parity.windows,
        label_mismatches=parity.label_mismatches,
        bit_exact=parity.bit_exact,
        max_abs_diff=parity.max_abs_diff,
        max_ulp=parity.max_ulp,
        labelled=parity.labelled,
        correct_device=parity.correct_device,
        correct_reference=parity.correct_reference,
        oracle=oracle,
    )


def attribution_part(steps: Sequence[Step], notes: Sequence[str]) -> AttributionPart:
    """`steps` as what travels between processes."""
    return AttributionPart(steps=[asdict(step) for step in steps], notes=list(notes))


def latency_part(unit: str, invoke: Iterable[int], prepare: Iterable[int]) -> LatencyPart:
    """The histogram of counts: a session has thousands of them, but few distinct ones."""
    return LatencyPart(unit=unit, invoke=_histogram(invoke), prepare=_histogram(prepare))


def _histogram(counts: Iterable[int]) -> list[list[int]]:
    return [[count, times] for count, times in sorted(Counter(counts).items())]
