"""The options of a run, resolved once: command line, then environment, then ini file, then default."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tflm_hil.errors import HilError
from tflm_hil.files import project_root
from tflm_hil.lab.options import Options


@dataclass(frozen=True)
class Option:
    """One option of the command line, with its environment variable and ini key derived from its name."""

    name: str
    default: str | None
    help: str
    metavar: str

    @property
    def flag(self) -> str:
        """The command-line spelling, e.g. `--board`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable, e.g. `HIL_BOARD`."""
        return "HIL_" + self.name.removeprefix("hil_").upper()

    @property
    def ini(self) -> str:
        """The ini key, e.g. `hil_board`."""
        return "hil_" + self.name.removeprefix("hil_")


OPTIONS = (
    Option("board", None, "where the firmware runs: emulated, auto, a serial port or a URL", "emulated|auto|PORT|URL"),
    Option("emulator", "auto", "the emulator of --board=emulated (default: auto)", "auto|qemu"),
    Option(
        "target",
        "stm32f4",
        "the chip to build for; may be given several times (default: stm32f4)",
        "NAME|all",
    ),
    Option("engine", "auto", "what executes the network; auto takes every engine that is available", "auto|aot|tflm"),
    Option("model", None, "only this model; may be given several times (default: every model)", "NAME"),
    Option("hil_report", "reports", "folder of results.json, report.md and junit.xml (default: reports/)", "DIR"),
    Option("hil_baseline", None, "compare the figures with the baseline in this folder", "DIR"),
)

# Options that may be given several times; in the environment and the ini file their values are separated by commas.
LISTS = ("target", "model")


def add_options(parser: pytest.Parser) -> None:
    """Declare every option on pytest's command line and in its ini file."""
    group = parser.getgroup("hil", "hardware in the loop")
    for option in OPTIONS:
        text = f"{option.help} [environment: {option.variable}]"
        action = "append" if option.name in LISTS else "store"
        group.addoption(option.flag, dest=f"hil_option_{option.name}", action=action, metavar=option.metavar, help=text)
        parser.addini(option.ini, option.help)
    group.addoption(
        "--hil-update-baseline", action="store_true", help="write the figures of this run as the new baseline"
    )
    group.addoption(
        "--hil-trace",
        action="store_true",
        help="also hold every operator against the reference, on one inference of each debug image",
    )
    group.addoption(
        "--hil-no-flash", action="store_true", help="the board runs the right image already: do not flash it"
    )


def resolve(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> Options:
    """Resolve all options.

    Raises:
        pytest.UsageError: an option that is given, but empty; `--hil-update-baseline` without a folder to write to; a
            board outside of a project.
    """

    def value(name: str) -> str | None:
        option = next(option for option in OPTIONS if option.name == name)
        given = config.getoption(f"hil_option_{name}")
        if isinstance(given, Sequence) and not isinstance(given, str):
            given = ",".join(given)
        if given == "":
            raise pytest.UsageError(f"{option.flag}: empty; give it a value, or leave it out")
        return given or environment.get(option.variable) or config.getini(option.ini) or option.default

    def text(name: str) -> str:
        return value(name) or ""

    def names(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in text(name).split(",") if part.strip())

    def folder(name: str) -> Path | None:
        given = value(name)
        # A path on the command line is meant from where the command was given, one in a file from where that file is.
        base = config.invocation_params.dir if config.getoption(f"hil_option_{name}") else root
        return (base / given).resolve() if given else None

    board = value("board")
    # Without a board nothing runs, so a project need not be there.
    try:
        root = project_root(config.rootpath) if board else config.rootpath
    except HilError as error:
        raise pytest.UsageError(str(error)) from None
    baseline = folder("hil_baseline")
    update = bool(config.getoption("hil_update_baseline"))
    if update and baseline is None:
        raise pytest.UsageError("--hil-update-baseline: no baseline folder given; add --hil-baseline=DIR")
    return Options(
        root=root,
        board=board,
        emulator=text("emulator"),
        targets=names("target"),
        engine=text("engine"),
        models=names("model"),
        report_dir=folder("hil_report") or root / "reports",
        baseline_dir=baseline,
        update_baseline=update,
        flash=not config.getoption("hil_no_flash"),
        trace=bool(config.getoption("hil_trace")),
    )
