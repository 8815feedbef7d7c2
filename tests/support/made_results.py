"""Results for tests of what is drawn from them."""

from __future__ import annotations

from tflm_hil.checks.latency import Latency
from tflm_hil.results.comparison import Base, Cause, Change, Comparison, Flip
from tflm_hil.results.groups import FirmwareFigures, ParityFigures
from tflm_hil.results.model import Case, Results, Run

COMMIT, BASE_COMMIT = "a" * 40, "b" * 40


def run(model: str = "gesture", comparison: Comparison | None = None, **fields: object) -> Run:
    """A run that passed, but for `fields`."""
    given = {
        "variant": "int8",
        "engine": "aot",
        "board": "emulated",
        "emulator": "qemu 7.2",
        "target": "stm32f4",
        "verdict": "pass",
        "latency": Latency("instructions", 10, 1, 13_736, 14_000, 14_006),
        "firmware": FirmwareFigures("00", 20_352, 708, 2_000, 232, 5_000, {".text": 20_000}, []),
        "parity": ParityFigures(1_305, 0, True, 0.0, 0, "tflite-micro 1", 1.0, 1.0),
        "tests": [Case(id="tests/test_hil.py::test_good", outcome="passed", this_session=True)],
    }
    return Run(model=model, comparison=comparison, **(given | fields))  # type: ignore[arg-type]


def results(*runs: Run, **fields: object) -> Results:
    """The results of a session with `runs`."""
    given = {
        "created": "2026-01-01T00:00:00+00:00",
        "git": {"commit": COMMIT, "branch": "main", "dirty": False},
        "host": {"system": "Linux", "python": "3.11"},
        "toolchain": {"arm-none-eabi-gcc": "12.2"},
    }
    return Results(runs=list(runs), **(given | fields))  # type: ignore[arg-type]


def slower(name: str = "aot_fully_connected_s8", verdict: str = "regressed") -> Change:
    """A latency that grew, because of one operator."""
    return Change(
        metric="latency.median",
        unit="instructions",
        before=13_736,
        now=15_002,
        verdict=verdict,  # type: ignore[arg-type]
        limit="latency.median>+0",
        source="default",
        causes=[Cause("operator", name, 4_000, 5_200)],
    )


def larger(name: str = "table", source: str = "models/gesture/model.toml:12") -> Change:
    """Flash that grew, because of one symbol."""
    return Change(
        metric="firmware.flash_bytes",
        unit="bytes",
        before=20_352,
        now=22_400,
        verdict="regressed",
        limit="firmware.flash_bytes>+1%",
        source=source,
        causes=[Cause("section", ".rodata", 3_000, 5_048), Cause("symbol", name, None, 2_048)],
    )


def less_accurate() -> Change:
    """Accuracy that fell."""
    return Change("parity.accuracy_device", "", 1.0, 0.985, "regressed", "parity.accuracy_device<-0", "default")


def flipped(recording: str = "punch/017") -> Flip:
    """A window that was right and is wrong now."""
    return Flip(recording, 3, 90, "punch", "flex", [0.75, 0.25], [0.25, 0.75], truth="punch")


def compared(*changes: Change, flips: list[Flip] | None = None, notes: list[str] | None = None) -> Comparison:
    """A comparison with a committed baseline."""
    return Comparison(Base("baselines/gesture.json", BASE_COMMIT), list(changes), flips or [], notes or [])


def failed(reason: str, test: str = "tests/test_hil.py::test_bad", log: str = "") -> Case:
    """A test that failed."""
    return Case(id=test, outcome="failed", reason=reason, this_session=True, log=log)
