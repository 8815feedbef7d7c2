"""The results model: what `results.json` holds (schema `hil-results/1`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from harness.errors import HilError
from harness.files import write_text

SCHEMA = "hil-results/1"


class FirmwareFigures(msgspec.Struct):
    """Sizes in bytes. `stack_peak_bytes` is measured on the device, None until a test has measured it.

    `ram_bytes` is static RAM (.data and .bss) without the reserved stack and without the UART buffers, whose size is
    `uart_buffer_bytes`. `symbols` lists the largest ones first.
    """

    elf_sha256: str
    flash_bytes: int
    ram_bytes: int
    uart_buffer_bytes: int
    arena_bytes: int
    model_bytes: int
    sections: dict[str, int]
    symbols: list[dict[str, Any]]
    stack_peak_bytes: int | None = None


class ParityFigures(msgspec.Struct):
    """The comparison with `oracle`; accuracies are fractions of the labelled windows, None where there are none."""

    windows: int
    label_mismatches: int
    bit_exact: bool
    max_abs_diff: float
    max_ulp: int
    oracle: str
    accuracy_device: float | None
    accuracy_reference: float | None


class AttributionStep(msgspec.Struct):
    """One way to run the network on the same windows, compared with the one before it (see checks/attribution.py)."""

    name: str
    windows: int
    labelled: int
    accuracy: float | None
    label_changes: int
    lost: int
    gained: int
    max_abs_diff: float


class AttributionFigures(msgspec.Struct):
    """The way from the trained network to the device; `notes` says why steps are left out, one line each."""

    steps: list[AttributionStep]
    notes: list[str]


class LatencyFigures(msgspec.Struct):
    """One inference, in `unit` (`instructions` in emulation, `cycles` on hardware)."""

    unit: str
    count: int
    min: int
    median: int
    p99: int
    max: int


class ThroughputFigures(msgspec.Struct):
    """Wall-clock rates of the streaming, for orientation only: they differ from run to run."""

    windows_per_s: float
    bytes_per_s: float


class LinkFigures(msgspec.Struct):
    """How often something went wrong on the wire and was mended, and the frames that were sent again for it."""

    retried: int
    faults: int


class Run(msgspec.Struct):
    """One model, variant and engine on one board. `trace` says which operator went wrong, None if none was sought."""

    model: str
    variant: str
    engine: str
    board: str
    emulator: str | None
    target: str
    verdict: str
    firmware: FirmwareFigures | None = None
    parity: ParityFigures | None = None
    attribution: AttributionFigures | None = None
    latency: LatencyFigures | None = None
    preparation: LatencyFigures | None = None
    throughput: ThroughputFigures | None = None
    link: LinkFigures | None = None
    trace: str | None = None
    failures: list[str] = msgspec.field(default_factory=list)

    @property
    def name(self) -> str:
        """E.g. `gesture-int8-aot-stm32f4`."""
        return f"{self.model}-{self.variant}-{self.engine}-{self.target}"


class Results(msgspec.Struct, kw_only=True):
    """Everything that one session measured, and where."""

    schema: str = SCHEMA
    created: str
    git: dict[str, Any]
    host: dict[str, str]
    toolchain: dict[str, str]
    runs: list[Run]


def save(results: Results, path: Path) -> None:
    """Write `results` as JSON, whole or not at all.

    Raises:
        HilError: the file cannot be written.
    """
    write_text(path, msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n")


def load(path: Path) -> Results:
    """Read a results file.

    Raises:
        HilError: it is missing, is not JSON, or does not have this schema.
    """
    try:
        results = msgspec.json.decode(path.read_bytes(), type=Results)
    except OSError as error:
        raise HilError(f"{path}: {error.strerror}; run `pytest --board=emulated` to make it") from error
    except msgspec.MsgspecError as error:
        raise HilError(f"{path}: not a results file ({error})") from error
    if results.schema != SCHEMA:
        raise HilError(f"{path}: schema {results.schema!r}, expected {SCHEMA!r}; write it again with this version")
    return results
