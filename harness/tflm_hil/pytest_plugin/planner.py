"""What a session is going to test: every test of firmware that was collected, before -k, --lf and the like choose."""

from __future__ import annotations

import fnmatch
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from tflm_hil.boards.selection import BoardSet
from tflm_hil.files import write_text
from tflm_hil.lab.build import Build
from tflm_hil.lab.contributions import run_key
from tflm_hil.lab.session import Session
from tflm_hil.results.merge import Planned

# Where a pytest-xdist worker is told to leave its plan.
FOLDER = "hil_plans"
REPEAT = "__pytest_repeat_step_number"

_SELECTING_KEYS = {"norecursedirs", "python_classes", "python_files", "python_functions", "testpaths"}
"""The keys of the ini file that say which tests there are."""


@dataclass
class Plan:
    """The tests of firmware by their node ids, and the files that were collected."""

    tests: dict[str, Planned] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)


class Planner:
    """Makes the plan, in every process that collects."""

    def __init__(self, config: pytest.Config, session: Session) -> None:
        self.plan = Plan()
        self._config = config
        self._session = session
        self._collected: list[pytest.Item] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note the file."""
        if report.passed and report.nodeid and "::" not in report.nodeid:
            self.plan.files.add(report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note what there is before anybody deselects."""
        self._collected = list(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is left; a worker leaves its plan where the controller finds it, even if it is killed."""
        selected = {item.nodeid for item in session.items}
        for item in self._collected:
            build = build_of(item)
            if build is not None and build.skipped is None:
                self.plan.tests[item.nodeid] = Planned(
                    run=run_key(board_of(item) or self._session.board, build),
                    test=_test_id(item),
                    copy=_copy(item),
                    selected=item.nodeid in selected,
                )
        worker = getattr(self._config, "workerinput", None)
        if worker is not None:
            content = {
                "tests": {nodeid: asdict(planned) for nodeid, planned in self.plan.tests.items()},
                "files": sorted(self.plan.files),
            }
            write_text(Path(worker[FOLDER]) / f"{worker['workerid']}.json", json.dumps(content))


def build_of(item: pytest.Item) -> Build | None:
    """The firmware that `item` tests, None if it tests none."""
    callspec = getattr(item, "callspec", None)
    build = callspec.params.get("firmware") if callspec else None
    return build if isinstance(build, Build) else None


def board_of(item: pytest.Item) -> BoardSet | None:
    """The board that `item` runs on, None if there is only one, or if it needs none."""
    callspec = getattr(item, "callspec", None)
    board = callspec.params.get("board_pool") if callspec else None
    return board if isinstance(board, BoardSet) else None


def read_plans(folder: Path) -> dict[str, Plan]:
    """The plans that workers left in `folder`, by their names."""
    plans = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        tests = {nodeid: Planned(**planned) for nodeid, planned in content["tests"].items()}
        plans[path.stem] = Plan(tests, set(content["files"]))
    return plans


def only_looks(config: pytest.Config) -> bool:
    """Whether no test is called: --collect-only, --setup-only, --setup-plan."""
    return bool(config.getoption("collectonly", False) or config.getoption("setuponly", False))


def narrowed(config: pytest.Config) -> list[str]:
    """Why this session has not even collected the whole suite: the suite is what `testpaths` names, if anything.

    What the ini file itself leaves out is no part of the suite.
    """
    if config.getoption("lf", False) and config.cache is not None and config.cache.get("cache/lastfailed", {}):
        return ["only files with earlier failures were collected (--lf)"]
    overridden = {text.partition("=")[0] for text in config.getoption("override_ini", None) or ()}
    gaps = [f"the suite was collected with another {key} (-o)" for key in sorted(overridden & _SELECTING_KEYS)]
    base = config.inipath.parent if config.inipath else config.rootpath
    suite = [path.resolve() for pattern in config.getini("testpaths") for path in base.glob(pattern)]
    named = [argument.partition("::") for argument in config.args]
    paths = [(config.invocation_params.dir / path).resolve() for path, _, _ in named]
    ignored = _ignored(config, suite or paths)
    gaps += [f"{_relative(path, base)} was not collected ({option})" for path, option in ignored]
    if config.args_source == pytest.Config.ArgsSource.TESTPATHS:
        return gaps
    if any(separator for _, separator, _ in named):
        return [*gaps, "only some tests were named"]
    left_out = [path for path in suite if not any(path.is_relative_to(named) for named in paths)]
    return [*gaps, *(f"{_relative(path, base)} was not collected" for path in left_out)]


def _ignored(config: pytest.Config, suite: Sequence[Path]) -> list[tuple[Path, str]]:
    """The files of the suite that an option of the command line leaves out, and the option."""
    configured = " ".join(config.getini("addopts"))
    options = [
        (str(config.invocation_params.dir / given), f"--{option.replace('_', '-')}")
        for option in ("ignore", "ignore_glob")
        for given in config.getoption(option, None) or ()
        if str(given) not in configured
    ]
    files = sorted({file for path in suite for file in _test_files(config, path)}) if options else []
    return [
        (file, option)
        for file in files
        for pattern, option in options
        if (
            file.is_relative_to(Path(pattern).resolve())
            if option == "--ignore"
            else fnmatch.fnmatch(str(file), pattern)
        )
    ]


def _test_files(config: pytest.Config, path: Path) -> Iterator[Path]:
    """The files below `path` that pytest would look into."""
    for folder, names, files in os.walk(path):
        names[:] = [name for name in names if not _matches(name, config.getini("norecursedirs"))]
        yield from (Path(folder, file) for file in files if _matches(file, config.getini("python_files")))


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _relative(path: Path, base: Path) -> Path:
    return path.relative_to(base) if path.is_relative_to(base) else path


def _test_id(item: pytest.Item) -> str:
    """The node id without what pytest-repeat and `--dist loadgroup` add to it."""
    nodeid = re.sub(r"\]@.*$", "]", item.nodeid)
    if copy := _copy(item):
        # It has an id among those of the parameters, e.g. `2-3` for the second of three.
        all_ids: str = item.callspec.id  # type: ignore[attr-defined]
        ids = re.sub(rf"(^|-){copy}-\d+(?=-|$)", "", all_ids, count=1).removeprefix("-")
        nodeid = nodeid.removesuffix(f"[{all_ids}]") + (f"[{ids}]" if ids else "")
    return nodeid


def _copy(item: pytest.Item) -> str:
    """Which repeat it is."""
    step = item.callspec.params.get(REPEAT)  # type: ignore[attr-defined]
    return "" if step is None else str(step + 1)
