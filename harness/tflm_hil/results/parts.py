"""What single tests measured, as they hand it over.

Tests may run in other processes (pytest-xdist), so it is made of builtins only: a `Contribution`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NotRequired, TypedDict

from tflm_hil.checks.attribution import Step
from tflm_hil.checks.confusion import class_counts
from tflm_hil.checks.parity import Parity
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.symbols import PlacedSymbol
from tflm_hil.models.output import Meaning


class RunKey(TypedDict):
    """What tells one run from another."""

    model: str
    variant: str
    engine: str
    board: str
    emulator: str | None
    target: str


class BoardPart(TypedDict):
    """What a board did for one process: the windows and inferences that it answered, and why it was left out, if so."""

    name: str
    process: str
    windows: int
    ended: str


class ParityPart(TypedDict):
    """The countable part of a `Parity`, and its oracle. `mismatches` and `digest` are missing in older files.

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
    mismatches: NotRequired[int]
    digest: NotRequired[str]
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
    """What went over the wire: windows answered, bytes sent, seconds, frames sent again, faults mended.

    `interrupts` is how often it interrupted what was measured, and `link` what carried it. They are missing in files of
    earlier versions.
    """

    windows: int
    bytes: int
    seconds: float
    retried: int
    faults: int
    interrupts: NotRequired[int]
    link: NotRequired[str]


class BenchPart(TypedDict, total=False):
    """What `hil bench` adds: the work of one inference; the compiler's figures and goals as dictionaries."""

    work: int
    unit: str
    compilation: dict[str, Any]
    goals: list[dict[str, Any]]


class AnswersPart(TypedDict):
    """What a device answered to the windows of recordings.

    `outputs` has the stored outputs in hexadecimal digits by recording, none if they are large. `meaning` has the
    fields of `MeaningFigures`, and `differences` those of `DifferenceFigures`, the first ones.
    """

    outputs: dict[str, str]
    meaning: dict[str, Any]
    differences: list[dict[str, Any]]


class Contribution(TypedDict, total=False):
    """What one test adds to its run."""

    firmware: dict[str, Any]
    stack_peak_bytes: int
    parity: ParityPart
    answers: AnswersPart
    attribution: AttributionPart
    latency: LatencyPart
    stream: StreamPart
    bench: BenchPart
    profile: dict[str, Any]
    trace: str
    engine_version: str
    model_sha256: str


def firmware_part(image: FirmwareImage, symbols: Iterable[PlacedSymbol], arena_bytes: int) -> dict[str, Any]:
    """The sizes of `image`, which has these `symbols`; `arena_bytes` is what the device says of its arena."""
    return {
        "elf_sha256": image.elf_sha256,
        "flash_bytes": image.flash_bytes,
        "ram_bytes": image.ram_bytes,
        "uart_buffer_bytes": image.ram_total_bytes - image.ram_bytes,
        "arena_bytes": arena_bytes,
        "model_bytes": image.model_bytes,
        "sections": dict(image.sections),
        "flash_sections": list(image.flash_sections),
        "ram_sections": list(image.ram_sections),
        "symbols": [asdict(symbol) for symbol in symbols],
        "core": image.target.core,
    }


def parity_part(parity: Parity[Any], oracle: str, meaning: Meaning | None = None) -> ParityPart:
    """The countable part of `parity`; `meaning` names the classes of its answers."""
    return ParityPart(
        windows=parity.windows,
        label_mismatches=parity.label_mismatches,
        bit_exact=parity.bit_exact,
        max_abs_diff=finite(parity.max_abs_diff),
        max_ulp=parity.max_ulp,
        labelled=parity.labelled,
        correct_device=parity.correct_device,
        correct_reference=parity.correct_reference,
        oracle=oracle,
        mismatches=len(parity.mismatches),
        confusions=[[*pair, windows] for pair, windows in sorted(parity.confusions.items())],
        digest=f"{parity.digest:016x}",
        classes=[asdict(count) for count in class_counts(parity.confusions, meaning)] if meaning else [],
    )


def attribution_part(steps: Sequence[Step], notes: Sequence[str]) -> AttributionPart:
    """`steps` as what travels between processes."""
    return AttributionPart(
        steps=[asdict(step) | {"max_abs_diff": finite(step.max_abs_diff)} for step in steps], notes=list(notes)
    )


def latency_part(unit: str, invoke: Sequence[int], prepare: Sequence[int]) -> LatencyPart:
    """The histograms of counts: a session has thousands of them, but few distinct ones.

    `prepare` has one for each inference, or is empty where the host prepares the inputs.
    """
    whole = [sum(pair) for pair in zip(prepare, invoke, strict=True)] if prepare else []
    return LatencyPart(unit=unit, invoke=_histogram(invoke), prepare=_histogram(prepare), window=_histogram(whole))


def finite(value: float) -> float | None:
    """Return `value` for JSON, which knows no infinity, and no number that is none: None stands for these."""
    return value if math.isfinite(value) else None


def _histogram(counts: Iterable[int]) -> list[list[int]]:
    return [[count, times] for count, times in sorted(Counter(counts).items())]
