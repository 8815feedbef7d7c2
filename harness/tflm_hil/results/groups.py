"""The groups of figures of a run: what `results.json` holds of its image, its answers, its latency and the link."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tflm_hil.models.output import OutputTable

OutputType = Literal["float32", "int8", "uint8", "int16"]
Positive = Annotated[int, msgspec.Meta(ge=1)]


class SymbolFigures(msgspec.Struct):
    """A function or an object of the image: its demangled name, section, size in bytes, and where it comes from.

    `origin` is the object, or the archive and its member, that it was linked from; "" if it is not known. `frame` is
    the stack in bytes that a function takes at most for itself, None if that is not known.
    """

    name: str
    section: str
    size: int
    origin: str = ""
    frame: int | None = None


class FirmwareFigures(msgspec.Struct):
    """Sizes in bytes. `stack_peak_bytes` is measured on the device, None until a test has measured it.

    `ram_bytes` is static RAM (.data and .bss) without the reserved stack and without the link buffers, whose size is
    `uart_buffer_bytes`; the arena is part of it. `ram_total_bytes` is all that a chip must have: static RAM, UART
    buffers and the stack at its deepest. `sections` are those that lie in flash or RAM; `flash_sections` add up to
    `flash_bytes`, and `ram_sections` to `ram_bytes`. `symbols` are all functions and objects, the largest first; `core`
    is that of the target.
    """

    elf_sha256: str
    flash_bytes: int
    ram_bytes: int
    uart_buffer_bytes: int
    arena_bytes: int
    model_bytes: int
    sections: dict[str, int]
    symbols: list[SymbolFigures]
    stack_peak_bytes: int | None = None
    ram_total_bytes: int | None = None
    flash_sections: list[str] = []
    ram_sections: list[str] = []
    core: str = ""

    @property
    def code_bytes(self) -> int:
        """Flash without the network."""
        return self.flash_bytes - self.model_bytes


class ClassFigures(msgspec.Struct):
    """One label: of the `windows` that show it, `recall` were found; of those answered with it, `precision` are right.

    Both are fractions, None of nothing.
    """

    label: str
    windows: int
    recall: float | None
    precision: float | None


class Confusion(msgspec.Struct):
    """The windows of one truth that the device gave one answer to."""

    truth: str
    answer: str
    windows: int


class ParityFigures(msgspec.Struct):
    """The comparison with `oracle`; accuracies are fractions of the `labelled` windows, None where there are none.

    `mismatches` counts the windows that differ by more than is allowed. `max_abs_diff` is None where an output is no
    number. `digest` is that of all outputs of the device, "" in older files. `classes` and `confusion` are of the
    device.
    """

    windows: int
    label_mismatches: int
    bit_exact: bool
    max_abs_diff: float | None
    max_ulp: int
    oracle: str
    accuracy_device: float | None
    accuracy_reference: float | None
    mismatches: int = 0
    labelled: int = 0
    digest: str = ""
    classes: list[ClassFigures] = []
    confusion: list[Confusion] = []


class MeaningFigures(msgspec.Struct):
    """How the stored outputs of a run are read, and what they were computed from, so that no model need be at hand.

    A window has `outputs` elements of `type`, as numpy names it. They stand for real numbers: those less `zero_point`,
    times `scale`, or the elements themselves where `scale` is 0. `labels` and `output` are those of the manifest. A
    window begins `stride` rows after the one before. `inputs` has a digest of the rows by recording, and `truths` the
    labels of its windows in order, each with the number of windows in a row that have it; "" if there is none.
    """

    type: OutputType
    outputs: Positive
    stride: Positive
    scale: float = 0.0
    zero_point: int = 0
    labels: list[str] = []
    output: OutputTable | None = None
    inputs: dict[str, str] = {}
    truths: dict[str, list[tuple[str, int]]] = {}


class AttributionStep(msgspec.Struct):
    """One way to run the network on the same windows, compared with the one before it (see checks/attribution.py)."""

    name: str
    windows: int
    labelled: int
    accuracy: float | None
    label_changes: int
    lost: int
    gained: int
    max_abs_diff: float | None


class AttributionFigures(msgspec.Struct):
    """The way from the trained network to the device; `notes` says why steps are left out, one line each.

    `accuracy_drop` is the accuracy of the first step less that of the device, None where there are no labels.
    """

    steps: list[AttributionStep]
    notes: list[str]
    accuracy_drop: float | None = None

    @property
    def windows(self) -> int:
        """How many windows went all the way."""
        return self.steps[0].windows if self.steps else 0


class ThroughputFigures(msgspec.Struct):
    """Wall-clock rates of the streaming, for orientation only: they differ from run to run, and `link` to link."""

    windows_per_s: float
    bytes_per_s: float
    link: str = ""


class LinkFigures(msgspec.Struct):
    """How often something went wrong on the wire and was mended, and the frames that were sent again for it.

    `interrupts` is how often received bytes interrupted what was measured. Latencies do not include that time.
    """

    retried: int
    faults: int
    interrupts: int = 0


class CompilationFigures(msgspec.Struct):
    """An engine that compiles, at work: seconds from .tflite to C, the arena, and the bytes that are alive at once."""

    seconds: float
    arena_bytes: int
    arena_lower_bound: int


class Goal(msgspec.Struct):
    """A figure, its limit and their ratio, for people; `met` tells whether it is on the right side of the limit."""

    what: str
    measured: str
    limit: str
    ratio: float
    met: bool


class BenchFigures(msgspec.Struct):
    """What `hil bench` adds.

    One inference does `work`: multiply-accumulates or elements, as `unit` says; 0 if unknown. `compilation` is None for
    an engine that does not compile.
    """

    work: int
    unit: str
    compilation: CompilationFigures | None = None
    goals: list[Goal] = []


class OperatorFigures(msgspec.Struct):
    """What one operator of the network takes on the device. `output` is the name of the tensor that it computes.

    `count` is in the unit of the whole, `macs` are its multiply-accumulates, 0 where it does none.
    """

    index: int
    kind: str
    output: str
    count: int
    macs: int = 0


class ProfileFigures(msgspec.Struct):
    """One inference, operator by operator, measured in another image than the tested one.

    `unit` is that of latencies, `sample` names what the network was run on, and `whole` is the count of the inference,
    with what lies between the operators.
    """

    unit: str
    sample: str
    whole: int
    operators: list[OperatorFigures]


class WindowFigures(msgspec.Struct):
    """A window of a recording, from its `first_row` on: `rows` are its raw counts, `device` what the device answered.

    `device` and `reference` are stored outputs, None where one is no finite number; `truth` is the label, "" if there
    is none.
    """

    recording: str
    window: int
    first_row: int
    rows: list[list[int]]
    device: list[float | None]
    device_label: str
    reference: list[float | None]
    reference_label: str
    truth: str = ""


class DifferenceFigures(msgspec.Struct):
    """A window that the device answered otherwise than the reference, and the nearest one where both agree, if any."""

    differs: WindowFigures
    agrees: WindowFigures | None = None
