"""The options of pytest: declared with names that no other plugin has, and resolved once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tflm_hil.errors import HilError
from tflm_hil.pytest_plugin.option import Option, Switch, find_one_of, find_value, find_values

if TYPE_CHECKING:
    from pathlib import Path

    from tflm_hil.configuration import Configuration
    from tflm_hil.lab.options import Options
    from tflm_hil.results.thresholds import Limit

SHORT_OPTIONS = "hil_short_options"
# Short names that belong to another plugin.
TAKEN = pytest.StashKey[list[str]]()

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
BASELINE = Option(
    "baseline",
    None,
    "compare the figures with the baselines in this folder, or with none (default: baselines/ of the project, if it is"
    " there)",
    "DIR|none",
)
FAIL_ON = Option(
    "fail-on",
    None,
    "fail if a figure changes so, or beyond a value: latency.median>+3%%, firmware.flash_bytes>+512, latency.max>16000;"
    " repeatable",
    "LIMIT",
    several=True,
)
STRICT = Switch("strict", "fail if a run has no baseline, or a baseline no run")
TRACE = Switch("trace", "also hold every operator against the reference, on one inference of each debug image")
PROFILE = Switch("profile", "also measure what each operator takes, in one inference of an image of its own")
COVERAGE = Switch(
    "coverage",
    "also write which lines of the firmware were reached (emulated board only), as lcov and Cobertura files",
)
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
OPTIONS = (BOARD, EMULATOR, LINK, TARGET, ENGINE, MODEL, REPORT, BASELINE, FAIL_ON, FLASH, RECORD_TRAFFIC, HISTORY)
SWITCHES = (STRICT, TRACE, PROFILE, COVERAGE)
SHORT_ON_REQUEST = (EMULATOR, LINK, TARGET, ENGINE, MODEL)


def add_options(parser: pytest.Parser) -> None:
    """Declare the options and their ini keys."""
    group = _group(parser)
    for option in OPTIONS:
        option.add_to(group, option.flag, f"{option.help} [environment: {option.variable}]")
        if option is FAIL_ON:
            parser.addini(option.ini, option.help, type="linelist")
        else:
            parser.addini(option.ini, option.help)
    group.addoption(
        "--hil-update-baseline", action="store_true", help="write the figures of the runs that pass as new baselines"
    )
    for switch in SWITCHES:
        switch.add_to(parser, group)
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


def choose_scheduler(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> None:
    """Let workers of pytest-xdist take tests that follow one another, if a board is given and no `--dist` is.

    By default they take turns, so that each of them sets up every image, and flashes it. pytest-xdist has `worksteal`
    since 3.2; and `--maxschedchunk` asks for the default.
    """
    if not config.getoption("numprocesses", None) or config.getoption("dist") != "no":
        return
    if config.getoption("maxschedchunk", None) is not None or find_spec("xdist.scheduler.worksteal") is None:
        return
    if find_value(config, environment, BOARD):
        config.option.dist = "worksteal"


def header(config: pytest.Config) -> list[str]:
    """Which short names belong to another plugin."""
    return [f"hil: {flag} belongs to another plugin; use --hil-{flag[2:]}" for flag in config.stash.get(TAKEN, [])]


def resolve(config: pytest.Config, environment: Mapping[str, str] = os.environ) -> Options | None:
    """Resolve all options; None without a board, because then nothing else matters.

    Raises:
        pytest.UsageError: an empty value; a limit that is none; a board outside of a project, or in one whose
            configuration is wrong.
    """
    boards = _boards(config, environment)
    project = _project(config, boards[0]) if boards else None
    baseline = find_value(config, environment, BASELINE)
    limits_below, limits_above = _limits(config, environment)
    strict, trace, profile, coverage = (switch.resolve(config, environment) for switch in SWITCHES)
    flash = find_one_of(config, environment, FLASH)
    link = find_one_of(config, environment, LINK)
    history = find_one_of(config, environment, HISTORY) == "true"
    targets = find_values(config, environment, TARGET)
    models = find_values(config, environment, MODEL)
    emulator = find_value(config, environment, EMULATOR)
    engine = find_value(config, environment, ENGINE, project.default_engine if project else None)
    report = find_value(config, environment, REPORT)
    traffic = find_value(config, environment, RECORD_TRAFFIC)
    if RECORD_TRAFFIC.flag in config.invocation_params.args and traffic != RECORD_TRAFFIC.bare:
        raise pytest.UsageError(
            f"{RECORD_TRAFFIC.flag}: pytest takes {traffic} for its folder;"
            f" write {RECORD_TRAFFIC.flag}=DIR, or put the option last"
        )
    if project is None:
        return None

    from tflm_hil.lab.options import Flash, Options

    update = bool(config.getoption("hil_update_baseline"))

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
        baseline_dir=_baselines(project.root, folder(BASELINE, baseline) if baseline else None, baseline, update),
        update_baseline=update,
        strict=strict,
        limits_below=limits_below,
        limits_above=limits_above,
        flash=Flash(flash),
        trace=trace,
        profile=profile,
        coverage=coverage,
        traffic_dir=folder(RECORD_TRAFFIC, traffic) if traffic else None,
        history=history,
        run=str(getattr(config, "workerinput", {}).get("testrunuid", "")),
    )


def _limits(config: pytest.Config, environment: Mapping[str, str]) -> tuple[tuple[Limit, ...], tuple[Limit, ...]]:
    """The limits that those of a manifest win over, and those that win over them. All sources count."""
    ini = [text for line in config.getini(FAIL_ON.ini) if (text := line.strip().rstrip(","))]
    given = config.getoption(FAIL_ON.dest)
    variable = environment.get(FAIL_ON.variable)
    if not (ini or given or variable):
        return (), ()
    from tflm_hil.results.thresholds import parse_limits

    file = config.inipath.name if config.inipath else "the ini file"
    try:
        below = [limit for text in ini for limit in parse_limits(text, f"{FAIL_ON.ini} in {file}")]
        above = parse_limits(variable, FAIL_ON.variable) if variable else []
        above += [limit for text in given or () for limit in parse_limits(text, FAIL_ON.flag)]
    except HilError as error:
        raise pytest.UsageError(str(error)) from None
    return tuple(below), tuple(above)


def _baselines(root: Path, folder: Path | None, given: str, update: bool) -> Path | None:
    """The folder of baselines, or None. Raises pytest.UsageError if none is to be updated."""
    if given == "none":
        if update:
            raise pytest.UsageError(
                f"--hil-update-baseline: {BASELINE.flag}=none names no folder; leave one of them out"
            )
        return None
    default = root / "baselines"
    return folder or (default if update or default.is_dir() else None)


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


def _boards(config: pytest.Config, environment: Mapping[str, str]) -> tuple[str, ...]:
    text = find_value(config, environment, BOARD)
    if not text:
        return ()
    from tflm_hil.boards.spec import split

    try:
        return tuple(split(text))
    except HilError as error:
        raise pytest.UsageError(str(error)) from None


def _group(parser: pytest.Parser) -> pytest.OptionGroup:
    return parser.getgroup("hil", "hardware in the loop")


def _is_known(parser: pytest.Parser, flag: str) -> bool:
    """Whether some plugin has declared `flag`, whatever it does with it."""
    given = f"{flag}=value"
    try:
        return given not in parser.parse_known_and_unknown_args([given])[1]
    except pytest.UsageError:  # It is known, and takes no such value.
        return True
