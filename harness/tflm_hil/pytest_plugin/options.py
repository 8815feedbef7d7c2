"""The options of pytest: declared with names that no other plugin has, and resolved once.

A value on the command line wins over the environment, that over the ini file, that over what the project says in its
hil.toml, and that over the default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tflm_hil.errors import HilError

if TYPE_CHECKING:
    from pathlib import Path

    from tflm_hil.configuration import Configuration
    from tflm_hil.lab.options import Options

SHORT_OPTIONS = "hil_short_options"
# Short names that belong to another plugin.
TAKEN = pytest.StashKey[list[str]]()
EMPTY = "give it a value, or leave it out"


@dataclass(frozen=True)
class Option:
    """One option, with its spellings derived from its name.

    `several` values are separated by commas, and the option may be repeated. One with a value for `bare` may stand
    alone.
    """

    name: str
    default: str | None
    help: str
    metavar: str
    several: bool = False
    bare: str | None = None

    @property
    def flag(self) -> str:
        """The command-line spelling, e.g. `--hil-board`."""
        return f"--hil-{self.name}"

    @property
    def short_flag(self) -> str:
        """The spelling that other plugins may want as well, e.g. `--board`."""
        return f"--{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable, e.g. `HIL_BOARD`."""
        return f"HIL_{self.name.upper()}".replace("-", "_")

    @property
    def ini(self) -> str:
        """The ini key, e.g. `hil_board`."""
        return f"hil_{self.name}".replace("-", "_")

    @property
    def dest(self) -> str:
        """Where pytest keeps the value of the command line."""
        return self.ini

    def add_to(self, group: pytest.OptionGroup, flag: str, text: str) -> None:
        """Declare the option as `flag`."""
        action = "append" if self.several else "store"
        alone = {"nargs": "?", "const": self.bare} if self.bare else {}
        group.addoption(flag, dest=self.dest, action=action, metavar=self.metavar, help=text, **alone)


BOARD = Option(
    "board",
    None,
    "where the firmware runs: emulated, auto, a name of hil-boards.toml, a serial port or a URL; repeatable: several"
    " boards of one target share the work",
    "emulated|auto|NAME|PORT",
    several=True,
)
EMULATOR = Option(
    "emulator",
    "auto",
    "what emulates the emulated board; all are held against each other (default: auto, which is qemu)",
    "auto|qemu|renode|all",
)
LINK = Option(
    "link",
    "auto",
    "what carries the protocol: the UART, or rings in memory; auto: the rings where board and firmware have them"
    " (default: auto)",
    "auto|uart|rtt",
)
TARGET = Option(
    "target",
    None,
    "the chip to build for; repeatable (default: that of the board or the project, else stm32f4)",
    "NAME|all",
    several=True,
)
ENGINE = Option("engine", "auto", "what executes the network; auto takes every engine there is", "auto|aot|tflm")
MODEL = Option("model", None, "only this model; repeatable (default: every model)", "NAME", several=True)
REPORT = Option("report", "reports", "folder of results.json, report.md and junit.xml (default: reports/)", "DIR")
BASELINE = Option("baseline", None, "compare the figures with the baseline in this folder", "DIR")
FLASH = Option(
    "flash", "auto", "when to flash a board; auto: unless it runs this very build (default: auto)", "auto|always|never"
)
RECORD_TRAFFIC = Option(
    "record-traffic",
    None,
    "record every byte of each session, for --board=replay:FILE (folder if it stands alone: reports/traffic)",
    "DIR",
    bare="reports/traffic",
)
HISTORY = Option(
    "history", "true", "keep what was measured in .hil/history.sqlite, for `hil history` (default: true)", "true|false"
)
OPTIONS = (BOARD, EMULATOR, LINK, TARGET, ENGINE, MODEL, REPORT, BASELINE, FLASH, RECORD_TRAFFIC, HISTORY)
SHORT_ON_REQUEST = (EMULATOR, LINK, TARGET, ENGINE, MODEL)


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and their ini keys."""
    group = _group(parser)
    for option in OPTIONS:
        option.add_to(group, option.flag, f"{option.help} [environment: {option.variable}]")
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
        "--hil-coverage",
        action="store_true",
        help="also write which lines of the firmware were reached (emulated board only), as lcov and Cobertura files",
    )
    names = ", ".join(option.short_flag for option in SHORT_ON_REQUEST)
    parser.addini(SHORT_OPTIONS, f"also take {names} as names of options", type="bool", default=False)


def add_short_options(parser: pytest.Parser, config: pytest.Config) -> None:
    """Declare `--board`, and the others if the ini file asks for them, unless another plugin has them already.

    Call it when every plugin and conftest.py has declared its options. Raises pytest.UsageError for an ini value that
    is not a truth value.
    """
    try:
        wanted = (BOARD, *SHORT_ON_REQUEST) if config.getini(SHORT_OPTIONS) else (BOARD,)
    except (ValueError, pytest.UsageError) as error:  # the latter since pytest 9
        raise pytest.UsageError(f"{SHORT_OPTIONS} in the ini file: {error}; write true or false") from None
    config.stash[TAKEN] = []
    for option in wanted:
        if _is_known(parser, option.short_flag):
            config.stash[TAKEN].append(option.short_flag)
        else:
            option.add_to(_group(parser), option.short_flag, f"short for {option.flag}")


def board_flag(config: pytest.Config) -> str:
    """How to give the board in this project: `--board`, or `--hil-board` if another plugin has that name."""
    return BOARD.flag if BOARD.short_flag in config.stash.get(TAKEN, []) else BOARD.short_flag


def no_board(config: pytest.Config) -> str:
    """Why a test that needs a board is skipped without one."""
    return f"needs a board: run `pytest {board_flag(config)}=emulated`"


def header(config: pytest.Config) -> list[str]:
    """Which short names belong to another plugin."""
    return [f"hil: {flag} belongs to another plugin; use --hil-{flag[2:]}" for flag in config.stash.get(TAKEN, [])]


def resolve(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> Options | None:
    """Resolve all options; None without a board, because then nothing else matters.

    Raises:
        pytest.UsageError: an empty value; `--hil-update-baseline` without a folder to write to; a board outside of a
            project, or in one whose configuration is wrong.
    """
    boards = _boards(config, environment)
    project = _project(config, boards[0]) if boards else None
    baseline = _value(config, environment, BASELINE)
    update = bool(config.getoption("hil_update_baseline"))
    if update and not baseline:
        raise pytest.UsageError(f"--hil-update-baseline: no baseline folder given; add {BASELINE.flag}=DIR")
    flash = _one_of(config, environment, FLASH)
    link = _one_of(config, environment, LINK)
    history = _one_of(config, environment, HISTORY) == "true"
    targets = _values(config, environment, TARGET)
    models = _values(config, environment, MODEL)
    emulator = _value(config, environment, EMULATOR)
    engine = _value(config, environment, ENGINE, project.default_engine if project else None)
    report = _value(config, environment, REPORT)
    traffic = _value(config, environment, RECORD_TRAFFIC)
    if RECORD_TRAFFIC.flag in config.invocation_params.args and traffic != RECORD_TRAFFIC.bare:
        raise pytest.UsageError(
            f"{RECORD_TRAFFIC.flag}: pytest takes {traffic} for its folder;"
            f" write {RECORD_TRAFFIC.flag}=DIR, or put the option last"
        )
    if project is None:
        return None

    from tflm_hil.lab.options import Flash, Options

    def folder(option: Option, given: str) -> Path:
        # A path on the command line is meant from where the command was given, one in a file from where that file is.
        base = project.root if config.getoption(option.dest) is None else config.invocation_params.dir
        return (base / given).resolve()

    return Options(
        root=project.root,
        boards=boards,
        emulator=emulator,
        link=link,
        targets=targets,
        engine=engine,
        models=models,
        report_dir=folder(REPORT, report),
        baseline_dir=folder(BASELINE, baseline) if baseline else None,
        update_baseline=update,
        flash=Flash(flash),
        trace=bool(config.getoption("hil_trace")),
        coverage=bool(config.getoption("hil_coverage")),
        traffic_dir=folder(RECORD_TRAFFIC, traffic) if traffic else None,
        history=history,
        run=str(getattr(config, "workerinput", {}).get("testrunuid", "")),
    )


def _project(config: pytest.Config, board: str) -> Configuration:
    from tflm_hil.configuration import find_project, load_configuration

    try:
        return load_configuration(find_project(config.rootpath))
    except HilError as error:
        # An argument of its own that is a file: pytest looks for its project beside it.
        file = config.invocation_params.dir / board
        if board in config.invocation_params.args and file.exists() and config.rootpath == file.parent:
            raise pytest.UsageError(
                f"pytest takes {config.rootpath} for the project, because of the space before {board}; "
                f"write {board_flag(config)}={board}"
            ) from None
        raise pytest.UsageError(str(error)) from None


def _value(config: pytest.Config, environment: Mapping[str, str], option: Option, project: str | None = None) -> str:
    """The value of an option, several of them separated by commas; "" if there is none and no default.

    `project` is what the project says in its hil.toml.
    """
    given = config.getoption(option.dest)
    if given is None:
        return environment.get(option.variable) or config.getini(option.ini) or project or option.default or ""
    values = given if isinstance(given, list) else [given]
    if not all(values):
        raise pytest.UsageError(f"{option.flag}: empty; {EMPTY}")
    return ",".join(values)


def _values(config: pytest.Config, environment: Mapping[str, str], option: Option) -> tuple[str, ...]:
    text = _value(config, environment, option)
    values = tuple(part.strip() for part in text.split(",")) if text else ()
    if not all(values):
        raise pytest.UsageError(f"{_source(config, environment, option)}: {text!r} has an empty name; {EMPTY}")
    return values


def _one_of(config: pytest.Config, environment: Mapping[str, str], option: Option) -> str:
    value, choices = _value(config, environment, option), option.metavar.split("|")
    if value not in choices:
        source = _source(config, environment, option)
        raise pytest.UsageError(f"{source}: unknown value {value}; choose {', '.join(choices[:-1])} or {choices[-1]}")
    return value


def _boards(config: pytest.Config, environment: Mapping[str, str]) -> tuple[str, ...]:
    text = _value(config, environment, BOARD)
    if not text:
        return ()
    from tflm_hil.boards.spec import split

    try:
        return tuple(split(text))
    except HilError as error:
        raise pytest.UsageError(str(error)) from None


def _source(config: pytest.Config, environment: Mapping[str, str], option: Option) -> str:
    """Where the value of an option comes from, for a message about it."""
    if config.getoption(option.dest) is not None:
        return option.flag
    return option.variable if environment.get(option.variable) else f"{option.ini} in the ini file"


def _group(parser: pytest.Parser) -> pytest.OptionGroup:
    return parser.getgroup("hil", "hardware in the loop")


def _is_known(parser: pytest.Parser, flag: str) -> bool:
    """Whether some plugin has declared `flag`, whatever it does with it."""
    given = f"{flag}=value"
    try:
        return given not in parser.parse_known_and_unknown_args([given])[1]
    except pytest.UsageError:  # It is known, and takes no such value.
        return True
