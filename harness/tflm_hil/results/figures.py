"""From what single tests measured to the figures of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tflm_hil.checks.attribution import Step
from tflm_hil.checks.latency import Latency, summarize
from tflm_hil.checks.parity import add_digests
from tflm_hil.results.answers import answers_figures
from tflm_hil.results.groups import (
    AttributionFigures,
    AttributionStep,
    BenchFigures,
    ClassFigures,
    CompilationFigures,
    Confusion,
    FirmwareFigures,
    Goal,
    LinkFigures,
    ParityFigures,
    ProfileFigures,
    ThroughputFigures,
)
from tflm_hil.results.parts import AttributionPart, BenchPart, ParityPart, StreamPart


def figures(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The groups of figures that `measured` (contributions) add up to, by their keys in a `Run`."""

    def parts(name: str) -> list[Any]:
        return [part[name] for part in measured if name in part]

    firmware = next((msgspec.convert(part, FirmwareFigures) for part in parts("firmware")), None)
    if firmware is not None:
        firmware.stack_peak_bytes = peak = max(parts("stack_peak_bytes"), default=None)
        firmware.ram_total_bytes = firmware.ram_bytes + firmware.uart_buffer_bytes + peak if peak is not None else None
    latencies, streams = parts("latency"), parts("stream")
    return {
        "firmware": firmware,
        "parity": _parity(parts("parity")),
        **answers_figures(parts("answers")),
        "attribution": _attribution(parts("attribution")),
        "latency": _latency([(part["unit"], part["invoke"]) for part in latencies]),
        "preparation": _latency([(part["unit"], part["prepare"]) for part in latencies]),
        "window": _latency([(part["unit"], part.get("window", [])) for part in latencies]),
        "throughput": _throughput(streams),
        "link": _link(streams),
        "bench": _bench(parts("bench")),
        "profile": next((msgspec.convert(part, ProfileFigures) for part in parts("profile")), None),
        "trace": next(iter(parts("trace")), None),
    }


def _parity(parts: list[ParityPart]) -> ParityFigures | None:
    if not parts:
        return None
    labelled = sum(part["labelled"] for part in parts)
    return ParityFigures(
        windows=sum(part["windows"] for part in parts),
        label_mismatches=sum(part["label_mismatches"] for part in parts),
        bit_exact=all(part["bit_exact"] for part in parts),
        max_abs_diff=_largest([part["max_abs_diff"] for part in parts]),
        max_ulp=max(part["max_ulp"] for part in parts),
        oracle=parts[0]["oracle"],
        mismatches=sum(part.get("mismatches", 0) for part in parts),
        accuracy_device=sum(part["correct_device"] for part in parts) / labelled if labelled else None,
        accuracy_reference=sum(part["correct_reference"] for part in parts) / labelled if labelled else None,
        labelled=labelled,
        digest=_digest(parts),
        classes=_classes(parts),
        confusion=_confusion(parts),
    )


def _digest(parts: list[ParityPart]) -> str:
    digests = [part.get("digest") for part in parts]
    return "" if None in digests else f"{add_digests(int(digest, 16) for digest in digests if digest):016x}"


def _classes(parts: list[ParityPart]) -> list[ClassFigures]:
    totals: dict[str, Counter[str]] = {}
    for part in parts:
        for count in part.get("classes", []):
            totals.setdefault(count["label"], Counter()).update({k: v for k, v in count.items() if k != "label"})
    return [
        ClassFigures(
            label,
            windows=total["windows"],
            recall=total["right"] / total["windows"] if total["windows"] else None,
            precision=total["right"] / total["answered"] if total["answered"] else None,
        )
        for label, total in totals.items()
    ]


def _confusion(parts: list[ParityPart]) -> list[Confusion]:
    totals: Counter[tuple[str, str]] = Counter()
    for part in parts:
        for truth, answer, windows in part.get("confusions", []):
            totals[truth, answer] += windows
    return [Confusion(*pair, windows) for pair, windows in sorted(totals.items())]


def _largest(distances: Sequence[float | None]) -> float | None:
    """None, which stands for a distance that is no number, is larger than any."""
    return None if None in distances else max(distance for distance in distances if distance is not None)


def _attribution(parts: list[AttributionPart]) -> AttributionFigures | None:
    if not parts:
        return None
    by_name: dict[str, list[Step]] = {}
    for part in parts:
        for step in part["steps"]:
            by_name.setdefault(step["name"], []).append(Step(**step))
    notes = dict.fromkeys(note for part in parts for note in part["notes"])
    steps = [_step(name, steps) for name, steps in by_name.items()]
    first, last = (steps[0].accuracy, steps[-1].accuracy) if steps else (None, None)
    drop = first - last if first is not None and last is not None else None
    return AttributionFigures(steps, list(notes), drop)


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
        max_abs_diff=_largest([step.max_abs_diff for step in steps]),
    )


def _latency(parts: list[tuple[str, list[list[int]]]]) -> Latency | None:
    counts = [count for _, histogram in parts for count, times in histogram for _ in range(times)]
    return summarize(parts[0][0], counts) if counts else None


def _throughput(parts: list[StreamPart]) -> ThroughputFigures | None:
    seconds = sum(part["seconds"] for part in parts)
    if seconds <= 0:
        return None
    windows, sent = sum(part["windows"] for part in parts), sum(part["bytes"] for part in parts)
    links = sorted({part.get("link", "") for part in parts} - {""})
    return ThroughputFigures(round(windows / seconds, 1), round(sent / seconds, 1), " and ".join(links))


def _link(parts: list[StreamPart]) -> LinkFigures | None:
    if not parts:
        return None
    return LinkFigures(
        sum(part["retried"] for part in parts),
        sum(part["faults"] for part in parts),
        sum(part.get("interrupts", 0) for part in parts),
    )


def _bench(parts: list[BenchPart]) -> BenchFigures | None:
    if not parts:
        return None
    together: dict[str, Any] = {key: value for part in parts for key, value in part.items()}
    compilation = together.get("compilation")
    return BenchFigures(
        together.get("work", 0),
        together.get("unit", ""),
        CompilationFigures(**compilation) if compilation else None,
        [Goal(**goal) for part in parts for goal in part.get("goals", [])],
    )
