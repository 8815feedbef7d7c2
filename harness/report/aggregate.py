"""From what single tests measured to one record a run.

Tests may run in other processes (pytest-xdist), so what they hand over is made of builtins only: a `Contribution`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypedDict

from harness.checks.attribution import Step
from harness.checks.latency import summarise
from harness.checks.parity import Parity
from harness.report.results import (
    AttributionFigures,
    AttributionStep,
    FirmwareFigures,
    LatencyFigures,
    LinkFigures,
    ParityFigures,
    Run,
    ThroughputFigures,
)


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
    """How often each count was measured: of whole inferences and of preparing their windows."""

    unit: str
    invoke: list[tuple[int, int]]
    prepare: list[tuple[int, int]]


class StreamPart(TypedDict):
    """What went over the wire: windows answered, bytes sent, seconds, frames sent again, faults mended."""

    windows: int
    bytes: int
    seconds: float
    retried: int
    faults: int


class Contribution(TypedDict, total=False):
    """What one test adds to its run."""

    run: RunKey
    firmware: dict[str, Any]
    stack_peak_bytes: int
    parity: ParityPart
    attribution: AttributionPart
    latency: LatencyPart
    stream: StreamPart
    trace: str
    failure: str


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
    return LatencyPart(unit=unit, invoke=sorted(Counter(invoke).items()), prepare=sorted(Counter(prepare).items()))


@dataclass
class Aggregator:
    """Collects contributions and turns them into runs."""

    contributions: list[Contribution] = field(default_factory=list)

    def runs(self) -> list[Run]:
        """One run a key, in the order of model, variant, engine, board and target."""
        by_key: dict[tuple[str, ...], list[Contribution]] = {}
        for contribution in self.contributions:
            key = tuple(str(value) for value in contribution["run"].values())
            by_key.setdefault(key, []).append(contribution)
        return [_run(parts) for _, parts in sorted(by_key.items())]


def _run(parts: list[Contribution]) -> Run:
    failures = [part["failure"] for part in parts if "failure" in part]
    firmware = next((FirmwareFigures(**part["firmware"]) for part in parts if "firmware" in part), None)
    peaks = [part["stack_peak_bytes"] for part in parts if "stack_peak_bytes" in part]
    if firmware is not None and peaks:
        firmware.stack_peak_bytes = max(peaks)
    latencies = [part["latency"] for part in parts if "latency" in part]
    streams = [part["stream"] for part in parts if "stream" in part]
    return Run(
        **parts[0]["run"],
        verdict="fail" if failures else "pass",
        firmware=firmware,
        parity=_parity([part["parity"] for part in parts if "parity" in part]),
        attribution=_attribution([part["attribution"] for part in parts if "attribution" in part]),
        latency=_latency([(part["unit"], part["invoke"]) for part in latencies]),
        preparation=_latency([(part["unit"], part["prepare"]) for part in latencies]),
        throughput=_throughput(streams),
        link=LinkFigures(sum(s["retried"] for s in streams), sum(s["faults"] for s in streams)) if streams else None,
        trace=next((part["trace"] for part in parts if "trace" in part), None),
        failures=failures,
    )


def _parity(parts: list[ParityPart]) -> ParityFigures | None:
    if not parts:
        return None
    labelled = sum(part["labelled"] for part in parts)
    return ParityFigures(
        windows=sum(part["windows"] for part in parts),
        label_mismatches=sum(part["label_mismatches"] for part in parts),
        bit_exact=all(part["bit_exact"] for part in parts),
        max_abs_diff=max(part["max_abs_diff"] for part in parts),
        max_ulp=max(part["max_ulp"] for part in parts),
        oracle=parts[0]["oracle"],
        accuracy_device=sum(part["correct_device"] for part in parts) / labelled if labelled else None,
        accuracy_reference=sum(part["correct_reference"] for part in parts) / labelled if labelled else None,
    )


def _attribution(parts: list[AttributionPart]) -> AttributionFigures | None:
    if not parts:
        return None
    by_name: dict[str, list[Step]] = {}
    for part in parts:
        for step in part["steps"]:
            by_name.setdefault(step["name"], []).append(Step(**step))
    notes = dict.fromkeys(note for part in parts for note in part["notes"])
    return AttributionFigures([_step(name, steps) for name, steps in by_name.items()], list(notes))


def _step(name: str, steps: list[Step]) -> AttributionStep:
    labelled = sum(step.labelled for step in steps)
    return AttributionStep(
        name,
        windows=sum(step.windows for step in steps),
        labelled=labelled,
        accuracy=sum(step.correct for step in steps) / labelled if labelled else None,
        label_changes=sum(step.label_changes for step in steps),
        lost=sum(step.lost for step in steps),
        gained=sum(step.gained for step in steps),
        max_abs_diff=max(step.max_abs_diff for step in steps),
    )


def _latency(parts: list[tuple[str, list[tuple[int, int]]]]) -> LatencyFigures | None:
    counts = [count for _, histogram in parts for count, times in histogram for _ in range(times)]
    if not counts:
        return None
    latency = summarise(parts[0][0], counts)
    return LatencyFigures(latency.unit, latency.count, latency.min, latency.median, latency.p99, latency.max)


def _throughput(parts: list[StreamPart]) -> ThroughputFigures | None:
    seconds = sum(part["seconds"] for part in parts)
    if seconds <= 0:
        return None
    windows, sent = sum(part["windows"] for part in parts), sum(part["bytes"] for part in parts)
    return ThroughputFigures(round(windows / seconds, 1), round(sent / seconds, 1))
