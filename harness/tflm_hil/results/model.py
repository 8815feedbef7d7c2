"""The results model: what `results.json` holds (schema `hil-results/1`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from tflm_hil.checks.latency import Latency
from tflm_hil.errors import HilError
from tflm_hil.files import write_text
from tflm_hil.models.manifest import LONE_VARIANT
from tflm_hil.results.comparison import Comparison
from tflm_hil.results.groups import (
    AttributionFigures,
    BenchFigures,
    DifferenceFigures,
    FirmwareFigures,
    LinkFigures,
    MeaningFigures,
    ParityFigures,
    ProfileFigures,
    ThroughputFigures,
)

SCHEMA = "hil-results/1"
HARDWARE = "hardware"
SECOND_EMULATOR = "renode"
"""The place of a run that its name tells, because a session may have the same run in QEMU."""


class Case(msgspec.Struct, kw_only=True):
    """One test of a run, as it last ended.

    `outcome` is passed, failed, skipped, xfailed, or `not run` where it has never ended. `tries` counts the reruns in;
    `reason` says why it failed or was skipped. `ran`, `code` and `image` are the moment, the state of the sources and
    the SHA-256 of the ELF file that it ran with. `this_session` tells whether it ended in this session; if it did not,
    `stale` tells whether it ran with other sources or another image than this session's. `measured` are the parts
    that the figures of the run are made of, and `log` the last lines of the UART log of a test that failed.
    `infrastructure` tells that it failed because of board, emulator, probe, toolchain or build, which says nothing of
    the firmware.
    """

    id: str
    outcome: str = "not run"
    tries: int = 0
    reason: str | None = None
    ran: str | None = None
    code: str | None = None
    image: str | None = None
    this_session: bool = False
    stale: bool = False
    measured: list[dict[str, Any]] = []
    log: str = ""
    infrastructure: bool = False


class Run(msgspec.Struct):
    """One model, variant and engine on one board. `trace` says which operator went wrong, None if none was sought.

    `verdict` is pass only if every test of the run has ended in this session and none has failed. `not_run` names the
    tests that have not; what they measured in an earlier session is kept, and `stale` names the groups of figures
    that come from other sources or another image. `failures` are the tests that failed, `over_budget`, `disagreements`,
    and the metrics that fell behind what the run is compared with. `over_budget` are limits that the figures of the
    whole run miss, `disagreements` what differs from the same run in another emulator, and `notes` says what was not
    judged. `preparation` is from the last row of a window to the network's input, `window` that and the inference;
    `bench` is there in results of `hil bench` only. `earlier_verdict` is the last one of a run of which no test has
    ended in this session. `compiler` is the version of arm-none-eabi-gcc that built the image, `engine_version` that of
    the engine, and `model_sha256` the hash of the network. `outputs` has the stored outputs of the device in
    hexadecimal digits, by recording, all windows of it in a row; a run with large outputs has none. `meaning` is how
    they are read. `differences` are windows that the device answered otherwise than the reference, the first ones.
    `comparison` is None if there was nothing to compare with.
    """

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
    latency: Latency | None = None
    preparation: Latency | None = None
    window: Latency | None = None
    throughput: ThroughputFigures | None = None
    link: LinkFigures | None = None
    bench: BenchFigures | None = None
    trace: str | None = None
    failures: list[str] = []
    over_budget: list[str] = []
    disagreements: list[str] = []
    notes: list[str] = []
    not_run: list[str] = []
    stale: list[str] = []
    earlier_verdict: str | None = None
    compiler: str | None = None
    engine_version: str = ""
    model_sha256: str = ""
    profile: ProfileFigures | None = None
    outputs: dict[str, str] = {}
    meaning: MeaningFigures | None = None
    differences: list[DifferenceFigures] = []
    comparison: Comparison | None = None
    tests: list[Case] = []

    @property
    def identity(self) -> tuple[str, ...]:
        """What tells it from other runs: not the port, which may be another one tomorrow, nor an emulator's version."""
        return (self.model, self.variant, self.engine, self.target, self.place)

    @property
    def place(self) -> str:
        """The kind of emulator, or `hardware`."""
        return next(iter((self.emulator or "").split()), HARDWARE)

    @property
    def current(self) -> bool:
        """Whether any of its tests has ended in this session."""
        return any(case.this_session for case in self.tests)

    @property
    def tries(self) -> int:
        """How often the test was tried that needed the most tries to pass."""
        return max((case.tries for case in self.tests if case.this_session), default=0)

    @property
    def network(self) -> str:
        """E.g. `gesture-int8`; a .tflite without a manifest goes by its own name."""
        return self.model if self.variant == LONE_VARIANT else f"{self.model}-{self.variant}"

    @property
    def build(self) -> str:
        """E.g. `gesture-int8-aot-stm32f4`."""
        return f"{self.model}-{self.variant}-{self.engine}-{self.target}"

    @property
    def name(self) -> str:
        """The same, but `gesture-int8-aot-stm32f4-renode` in the second emulator."""
        return f"{self.build}-{self.place}" if self.place == SECOND_EMULATOR else self.build


class BoardFigures(msgspec.Struct):
    """What a board did in this session for one `process`, `main` or a worker of pytest-xdist.

    `windows` counts the windows and inferences that it answered. `ended` says why it was left out; "" if it was not.
    """

    name: str
    process: str
    windows: int
    ended: str


class Results(msgspec.Struct, kw_only=True):
    """Everything that one session measured and where, merged into what earlier sessions measured.

    `gaps` says why there may be tests of its runs that the session did not even find, one line each. `left_out` names
    the runs of which every test was deselected, and of which nothing is known from earlier. `skipped` has the reason
    for each run that its manifest leaves out, and `missing_engines` for each engine that could not be had. `boards` are
    those that this session used. `no_baseline` names the runs that have no baseline, `stale_baselines` the files of
    those for which nothing ran. `failures` is what fails the session beside its runs.
    """

    schema: str = SCHEMA
    created: str
    git: dict[str, Any]
    host: dict[str, str]
    toolchain: dict[str, str]
    runs: list[Run]
    gaps: list[str] = []
    left_out: list[str] = []
    skipped: dict[str, str] = {}
    missing_engines: dict[str, str] = {}
    boards: list[BoardFigures] = []
    no_baseline: list[str] = []
    stale_baselines: list[str] = []
    failures: list[str] = []


def save(results: Results, path: Path) -> None:
    """Write `results` as JSON, whole or not at all.

    Raises:
        HilError: the file cannot be written.
    """
    write_text(path, msgspec.json.format(msgspec.json.encode(results), indent=2).decode() + "\n")


class _Header(msgspec.Struct):
    schema: str


def load(path: Path) -> Results:
    """Read a results file.

    Raises:
        HilError: it is missing, is not JSON, or does not have this schema.
    """
    try:
        content = path.read_bytes()
        schema = msgspec.json.decode(content, type=_Header).schema
        if schema == SCHEMA:
            return msgspec.json.decode(content, type=Results)
    except OSError as error:
        raise HilError(f"{path}: {error.strerror}; run `pytest --board=emulated` to make it") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise HilError(f"{path}: not a results file ({error})") from error
    raise HilError(f"{path}: schema {schema!r}, expected {SCHEMA!r}; use the version of tflm-hil that wrote it")
