"""Accidents in every phase of a run: after each one the verdict is true, no process is left, the next run passes."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from chaos import Chaos
from needs import needs_emulator
from project_helpers import Project

pytestmark = [needs_emulator, pytest.mark.nightly, pytest.mark.timeout(400)]

Accident = Callable[[Chaos], None]
STAGES = ("collected", "building", "streaming", "tested", "finishing", "summarised")
TOGETHER_S = 0.2
"""Between two signals that a person or a supervisor sends in a row."""


@dataclass(frozen=True)
class Case:
    """An accident, and whether the run survives it: then it passes, otherwise it fails and says so.

    A `cold` one needs something to build, a `late` one comes when all reports are written.
    """

    happens: Accident
    survives: bool = False
    cold: bool = False
    late: bool = False


def at(stage: str, chaos: Chaos, *arguments: str) -> list[int]:
    """Start a run and wait for `stage`; the processes that do the work then."""
    if stage == "building":
        chaos.start(*arguments)
        return chaos.until_found("cc1")
    if stage == "streaming":
        chaos.start(*arguments)
        return chaos.until_streaming()
    chaos.start(*arguments, hold=stage)
    chaos.until_held()
    return []


def signalled(stage: str, *signals: signal.Signals) -> Accident:
    """The controller gets `signals`, shortly after one another."""

    def happens(chaos: Chaos) -> None:
        at(stage, chaos)
        for number, sent in enumerate(signals):
            if number:
                time.sleep(TOGETHER_S)
            with contextlib.suppress(ProcessLookupError):
                os.kill(chaos.pid, sent)
        chaos.go()

    return happens


def worker_signalled(sent: signal.Signals, every: bool = False) -> Accident:
    """One pytest-xdist worker gets a signal, or `every` one."""

    def happens(chaos: Chaos) -> None:
        at("streaming", chaos, "-n", "2")
        workers = chaos.workers()
        assert len(workers) == 2
        for pid in workers if every else workers[:1]:
            os.kill(pid, sent)

    return happens


def emulator_signalled(sent: signal.Signals) -> Accident:
    """The emulator gets a signal while recordings are on the wire."""

    def happens(chaos: Chaos) -> None:
        (pid,) = at("streaming", chaos)
        os.kill(pid, sent)

    return happens


def tool_killed(name: str) -> Accident:
    """A process of the build is killed."""

    def happens(chaos: Chaos) -> None:
        at("building", chaos)
        os.kill(chaos.until_found(name)[0], signal.SIGKILL)

    return happens


def stopped_for_a_while(chaos: Chaos) -> None:
    """The laptop's lid is closed."""
    at("streaming", chaos)
    os.kill(chaos.pid, signal.SIGSTOP)
    time.sleep(3)
    os.kill(chaos.pid, signal.SIGCONT)


def limited(what: int, value: int) -> Accident:
    """The run gets less of a resource than it needs."""

    def happens(chaos: Chaos) -> None:
        chaos.start(prepare=lambda: resource.setrlimit(what, (value, value)))

    return happens


def full_disk(*folders: str) -> Accident:
    """A disk with 64 KiB, for the reports or for temporary files."""

    def happens(chaos: Chaos) -> None:
        mounted = chaos.reports.parent / "full"
        mounted.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mounted], check=False).returncode:
            pytest.skip("may not mount a file system")
        try:
            variables = {"TMPDIR": str(mounted)} if "TMPDIR" in folders else {}
            arguments = [f"--hil-report={mounted / 'reports'}"] if "reports" in folders else []
            chaos.start(*arguments, environment=variables)
            chaos.end()
        finally:
            subprocess.run(["umount", "-l", mounted], check=True)

    return happens


def reader_leaves(chaos: Chaos) -> None:
    """`pytest | head -1`."""
    reader, writer = os.pipe()

    def into_the_pipe() -> None:
        os.dup2(writer, 1)
        os.dup2(writer, 2)

    chaos.start(prepare=into_the_pipe)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)


def while_held(stage: str, do: Callable[[Chaos], None]) -> Accident:
    """Something happens to files at `stage`."""

    def happens(chaos: Chaos) -> None:
        at(stage, chaos)
        do(chaos)
        chaos.go()

    return happens


def images(chaos: Chaos) -> list[Path]:
    found = [file for file in (chaos.root / ".hil").rglob("program.elf") if "int8" in str(file)]
    assert found
    return found


def truncate_images(chaos: Chaos) -> None:
    for image in images(chaos):
        os.truncate(image, image.stat().st_size // 2)


def empty_images(chaos: Chaos) -> None:
    for image in images(chaos):
        os.truncate(image, 0)


def lose_images(chaos: Chaos) -> None:
    for image in images(chaos):
        image.unlink()


def damage_databases(chaos: Chaos) -> None:
    for database in (chaos.root / ".hil").rglob(".sconsign*"):
        os.truncate(database, database.stat().st_size // 2)


def lose_reports(chaos: Chaos) -> None:
    shutil.rmtree(chaos.reports)


def damage_results(chaos: Chaos) -> None:
    (chaos.reports / "results.json").write_text('{"schema": "hil-results/1", "runs": [')


def before(do: Callable[[Chaos], None]) -> Accident:
    """Something happened to files since the last run."""

    def happens(chaos: Chaos) -> None:
        do(chaos)
        chaos.start()

    return happens


def starved(chaos: Chaos) -> None:
    """Other work takes the processors."""
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        chaos.start(prepare=lambda: os.nice(10))
        chaos.end()
    finally:
        for process in busy:
            process.kill()
            process.wait()


CASES: dict[str, Case] = {
    f"{sent.name} while {stage}": Case(signalled(stage, sent), cold=stage == "building", late=stage == "summarised")
    for stage in STAGES
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP)
    # When all is written, a signal takes nothing back.
    if stage != "summarised" or sent in (signal.SIGINT, signal.SIGKILL)
}
CASES |= {
    f"{sent.name} twice while {stage}": Case(signalled(stage, sent, sent), cold=stage == "building")
    for stage in ("building", "streaming", "tested", "finishing")
    for sent in (signal.SIGINT, signal.SIGTERM)
}
CASES |= {
    "SIGINT, then SIGKILL": Case(signalled("streaming", signal.SIGINT, signal.SIGKILL)),
    "SIGTERM, then SIGINT": Case(signalled("streaming", signal.SIGTERM, signal.SIGINT)),
    "a worker is killed": Case(worker_signalled(signal.SIGKILL)),
    "a worker is terminated": Case(worker_signalled(signal.SIGTERM)),
    "all workers are killed": Case(worker_signalled(signal.SIGKILL, every=True)),
    "the emulator is killed": Case(emulator_signalled(signal.SIGKILL)),
    "the emulator is terminated": Case(emulator_signalled(signal.SIGTERM)),
    "the emulator crashes": Case(emulator_signalled(signal.SIGSEGV)),
    "the emulator stands still": Case(emulator_signalled(signal.SIGSTOP)),
    "the compiler is killed": Case(tool_killed("cc1"), cold=True),
    "PlatformIO is killed": Case(tool_killed("platformio"), cold=True),
    "stopped for some seconds": Case(stopped_for_a_while, survives=True),
    "few open files": Case(limited(resource.RLIMIT_NOFILE, 20)),
    "no large files": Case(limited(resource.RLIMIT_FSIZE, 4096)),
    "little memory": Case(limited(resource.RLIMIT_AS, 400 << 20)),
    "no disk for reports": Case(full_disk("reports")),
    "no disk for temporary files": Case(full_disk("TMPDIR")),
    "images truncated": Case(before(truncate_images), survives=True),
    "images empty": Case(before(empty_images), survives=True),
    "images lost": Case(before(lose_images), survives=True),
    "build databases truncated": Case(before(damage_databases), survives=True),
    "results damaged before the run": Case(before(damage_results), survives=True),
    "reports lost before the end": Case(while_held("finishing", lose_reports), survives=True),
    "results damaged in mid-run": Case(while_held("tested", damage_results), survives=True),
    "starved": Case(starved, survives=True),
    "nobody reads the output": Case(reader_leaves),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("chaos") / "project")
    made.copy_model("gesture")
    yield made
    shutil.rmtree(made.root / ".hil", ignore_errors=True)


@pytest.mark.parametrize("name", CASES)
def test_accident(name: str, project: Project, tmp_path: Path) -> None:
    case = CASES[name]
    chaos = Chaos(project.root, tmp_path)
    if case.cold:
        for part in ("objects", "pio", "build"):
            shutil.rmtree(project.root / ".hil" / part, ignore_errors=True)
    else:
        chaos.start()
        assert chaos.end() == 0, chaos.said()
        assert chaos.verdicts() == ["pass"]
    earlier = chaos.results()
    case.happens(chaos)
    status = chaos.end()
    assert chaos.orphans() == []
    assert "INTERNALERROR" not in chaos.said()
    # A second signal while pytest itself ends is pytest's to tell, and it does so with a traceback.
    assert "Traceback" not in chaos.said() or "twice" in name
    if case.survives:
        assert status == 0, chaos.said()
        assert chaos.verdicts() == ["pass"]
    else:
        assert status != 0, chaos.said()
        # Reports that this run has not touched are those of the earlier one, which passed.
        assert case.late or chaos.results() == earlier or chaos.verdicts() not in (["pass"], []), chaos.said()
    chaos.start()
    assert chaos.end() == 0, chaos.said()
    assert chaos.verdicts() == ["pass"]
    assert chaos.orphans() == []
