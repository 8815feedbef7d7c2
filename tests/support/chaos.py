"""Run the suite, cause accidents in the middle of it, and inspect what is left."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from tflm_hil.results.model import Case, Results, load, save

T = TypeVar("T")
SUITE = Path(__file__).parents[1] / "test_hil.py"
MODEL, EARLIER = "gesture", "earlier"
HOLD_VARIABLE = "CHAOS_HOLD"
HOLDS = """
import os, pathlib, time
import pytest

def hold(stage):
    if os.environ.get("CHAOS_HOLD") == stage and "PYTEST_XDIST_WORKER" not in os.environ:
        folder = pathlib.Path(os.environ["CHAOS_FOLDER"])
        if not (folder / "go").exists():
            (folder / "held").touch()
            until = time.monotonic() + 60
            while not (folder / "go").exists() and time.monotonic() < until:
                time.sleep(0.01)

@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish():
    hold("collected")

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown():
    hold("tested")

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    hold("finishing")

@pytest.hookimpl(trylast=True)
def pytest_terminal_summary():
    hold("summarized")
"""

_PR_SET_CHILD_SUBREAPER = 36
_DEADLINE_S = 240.0
_POLL_S = 0.01


class Chaos:
    """Starts the suite of a project and finds all processes that it starts.

    This process adopts the orphans of its descendants, so every orphan is still its descendant at the end.
    """

    def __init__(self, root: Path, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.reports = root / "reports"
        self.baseline = root / "baseline"
        self.output = folder / "output.txt"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._hardware = False
        (folder / "chaos_holds.py").write_text(HOLDS)
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)

    def start(
        self,
        *arguments: str,
        hold: str = "",
        prepare: Callable[[], object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start a run; with `hold`, it stops at that stage until `go`. `prepare` runs in the child before Python."""
        self._hardware = any(argument.startswith("--board=") for argument in arguments)
        for name in ("held", "go"):
            (self._folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.reports / "uart", ignore_errors=True)  # Logs of an earlier run would mislead.
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("HIL_", "PYTEST_"))}
        variables |= {"PYTHONPATH": str(self._folder), HOLD_VARIABLE: hold, "CHAOS_FOLDER": str(self._folder)}
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "pytest", "-p", "chaos_holds", "-p", "no:cacheprovider"),
                    *(
                        f"--rootdir={self.root}",
                        *([] if self._hardware else ["--board=emulated"]),
                        "--hil-engine=aot",
                        f"--hil-baseline={self.baseline}",
                    ),
                    *(f"--hil-report={self.reports}", str(SUITE), *arguments),
                ],
                cwd=self.root,
                env=variables | dict(environment or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=prepare,
            )

    @property
    def pid(self) -> int:
        """The process id of the controller."""
        assert self._process is not None
        return self._process.pid

    def until_held(self) -> None:
        """Wait until the run has stopped at its stage."""
        self.until((self._folder / "held").exists, "held")

    def go(self) -> None:
        """Let a stopped run continue."""
        (self._folder / "go").touch()

    def until_streaming(self) -> list[int]:
        """Wait until recordings are being sent; return the process ids of the emulators."""
        logs = self.reports / "uart"
        self.until(lambda: any("SAMPLES" in log.read_text() for log in logs.glob("*.log")), "streaming")
        return self.find("qemu-system-arm")

    def find(self, name: str) -> list[int]:
        """Return the descendants that have `name` in their command line."""
        found = []
        for pid in descendants():
            with contextlib.suppress(OSError):
                if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
        return found

    def workers(self) -> list[int]:
        """Return the worker processes of pytest-xdist."""
        return [pid for pid, parent in parents().items() if parent == self.pid and pid not in self.find("qemu-system")]

    def until_found(self, name: str) -> list[int]:
        """Wait until a descendant has `name` in its command line; return all of these."""
        return self.until(lambda: self.find(name), name)

    def until(self, look: Callable[[], T], what: str) -> T:
        """Wait until `look` finds something, and return it."""
        until = time.monotonic() + _DEADLINE_S
        while time.monotonic() < until:
            if found := look():
                return found
            assert self._process is not None
            assert self._process.poll() is None, f"the run ended before it was {what}: {self.said()}"
            time.sleep(_POLL_S)
        raise AssertionError(f"never {what}: {self.said()}")

    def end(self) -> int:
        """Wait for the end of the controller; return its exit status, negative for a signal."""
        assert self._process is not None
        try:
            return self._process.wait(_DEADLINE_S)
        except subprocess.TimeoutExpired:
            for pid in [self.pid, *descendants()]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"the run does not end: {self.said()}") from None

    def said(self) -> str:
        """Return what the run has printed."""
        return self.output.read_text(errors="replace")

    def results(self) -> bytes:
        """Return the content of results.json, empty if there is none."""
        found = self.reports / "results.json"
        return found.read_bytes() if found.exists() else b""

    def verdict(self) -> str:
        """Return the verdict in results.json, empty without one; check that all reports are complete."""
        for file in self.reports.glob("*.xml"):
            ET.parse(file)
        content = self.results()
        runs = msgspec.json.decode(content, type=Results).runs if content else []
        return next((run.verdict for run in runs if run.model == MODEL and bool(run.emulator) != self._hardware), "")

    def plant(self, model: str) -> None:
        """Add runs of another session with another model to the results."""
        file = self.reports / "results.json"
        results = load(file)
        others = [replace(run, model=model) for run in results.runs if run.model == MODEL]
        save(replace(results, runs=[*others, *results.runs]), file)

    def kept(self) -> tuple[list[Case], dict[str, bytes]]:
        """Return the tests of the earlier session, and the content of the baselines."""
        found = self.reports / "results.json"
        runs = load(found).runs if found.exists() else []
        earlier = [replace(case, this_session=False) for run in runs if run.model == EARLIER for case in run.tests]
        return [replace(case, stale=False) for case in earlier], {
            file.name: file.read_bytes() for file in self.baseline.iterdir()
        }

    def orphans(self) -> list[str]:
        """Return the command lines of processes that are still alive 15 s after the end of the controller."""
        until = time.monotonic() + 15
        while alive := list(descendants()):
            if time.monotonic() > until:
                return [Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ") for pid in alive]
            time.sleep(_POLL_S)
        return []


def parents() -> dict[int, int]:
    """Return all processes and their parents, without zombies."""
    found: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(stat.parent.name)] = int(parent)
    return found


def descendants() -> Iterator[int]:
    """Yield the process ids of all processes that this process has started or adopted, without zombies."""
    above = parents()
    for pid in above:
        ancestor: int | None = above[pid]
        while ancestor is not None and ancestor != os.getpid():
            ancestor = above.get(ancestor)
        if ancestor is not None:
            yield pid
