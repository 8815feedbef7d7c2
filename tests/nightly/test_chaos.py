"""Accidents in every phase of a run: after each one the verdict is true, no process is left, the next run passes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import resource
import shutil
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import fake_board
from support.chaos import EARLIER, MODEL, Chaos
from support.needs import needs_emulator
from support.project_helpers import ROOT, Project
from support.targets import STM32F4
from tflm_hil.firmware.image import read_image
from tflm_hil.results.model import load

pytestmark = [needs_emulator, pytest.mark.nightly, pytest.mark.timeout(900)]

Accident = Callable[[Chaos], None]
RECORDING = "continuous_1.csv"
RECORDINGS = f"""schema = "hil-recordings/1"
sample_rate_hz = 50.0
[[files]]
path = "{RECORDING}"
label_column = "label"
"""
VARIANT_LEFT = re.compile(r"\n\[variants\.float32.*?(?=\n\[variants\.int8)", re.DOTALL)
KEPT = ("models", "recordings", "reports", "baseline")
STAGES = ("collected", "building", "streaming", "tested", "finishing", "summarized")
ENDED = ("finishing", "summarized")
"""Every test has ended and the reports are there: signals but SIGKILL are only answered."""
TOGETHER_S = 0.2
"""Between two signals that a person or a supervisor sends in a row."""


@dataclass(frozen=True)
class Case:
    """An accident, and whether the run survives it: then it passes, otherwise it fails and says so.

    A `cold` one needs something to build, a `late` one comes when all reports are written, and one that `loses` takes
    the results of earlier sessions itself.
    """

    happens: Accident
    survives: bool = False
    cold: bool = False
    late: bool = False
    loses: bool = False


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


def full_disk(size: str, *folders: str) -> Accident:
    """A disk of that size, for the reports or for temporary files."""

    def happens(chaos: Chaos) -> None:
        mounted = chaos.reports.parent / "full"
        mounted.mkdir(exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", mounted], check=False).returncode:
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


def reports_lost_and_found(chaos: Chaos) -> None:
    """A file takes the place of the reports' folder until the run has ended."""
    at("tested", chaos)
    away = chaos.reports.rename(chaos.root / "away")
    chaos.reports.touch()
    chaos.go()
    chaos.end()
    chaos.reports.unlink()
    away.rename(chaos.reports)


def another_folder(chaos: Chaos) -> None:
    """The reports' folder is another one than before."""
    away = chaos.reports.rename(chaos.root / "away")
    chaos.reports.mkdir()
    shutil.rmtree(away)


def changed(*path: str) -> Accident:
    """Somebody works on a file of the project, and takes it back when the run has ended."""

    def happens(chaos: Chaos) -> None:
        at("tested", chaos)
        file = chaos.root.joinpath(*path)
        content = file.read_bytes()
        file.write_bytes(content + b"\n")
        chaos.go()
        chaos.end()
        file.write_bytes(content)

    return happens


def others_results(chaos: Chaos) -> None:
    """Another session, of another model, ends while this one runs."""
    at("tested", chaos)
    chaos.plant("other")
    chaos.go()
    chaos.end()
    assert "other" in {run.model for run in load(chaos.reports / "results.json").runs}


def two_at_once(chaos: Chaos) -> None:
    """The same run twice."""
    other = Chaos(chaos.root, chaos.root.parent / "other")
    other.start()
    chaos.start()
    assert other.end() == 0, other.said()


def terminal_closes(chaos: Chaos) -> None:
    """The window of the terminal is closed."""
    master, slave = os.openpty()

    def on_the_terminal() -> None:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for number in range(3):
            os.dup2(slave, number)

    chaos.start(prepare=on_the_terminal)
    os.close(slave)
    chaos.until_streaming()
    os.close(master)


def closed(*descriptors: int) -> Accident:
    """The run has no standard input or output at all."""

    def happens(chaos: Chaos) -> None:
        def close() -> None:
            for number in descriptors:
                os.close(number)

        chaos.start(prepare=close)

    return happens


def no_disk_to_build(chaos: Chaos) -> None:
    """The disk is full after half of the objects."""
    built = chaos.root / ".hil"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", built], check=False).returncode:
        pytest.skip("may not mount a file system")
    try:
        chaos.start()
        chaos.end()
    finally:
        subprocess.run(["umount", "-l", built], check=True)


def worker_stands_still(chaos: Chaos) -> None:
    """One pytest-xdist worker stands still, until somebody loses patience."""
    at("streaming", chaos, "-n", "2")
    os.kill(chaos.workers()[0], signal.SIGSTOP)
    time.sleep(1)
    os.kill(chaos.pid, signal.SIGINT)


def unplugged(chaos: Chaos) -> None:
    """A board behind a serial port goes away for good."""
    (elf,) = (image for image in images(chaos) if image.parent.name == "stm32f4_aot")
    build_id = read_image(elf, STM32F4, 0, 0, elf.parent).build_id
    with fake_board.running(MODEL, "int8", build_id) as port:
        chaos.start(f"--board={port}", "--hil-flash=never")
        chaos.until_streaming()
    chaos.end()


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
    f"{sent.name} while {stage}": Case(
        signalled(stage, sent),
        survives=stage in ENDED and sent != signal.SIGKILL,
        cold=stage == "building",
        late=stage in ENDED,
    )
    for stage in STAGES
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP)
    # When all is written, a signal takes nothing back.
    if stage != "summarized" or sent in (signal.SIGINT, signal.SIGKILL)
}
CASES |= {
    f"{sent.name} twice while {stage}": Case(
        signalled(stage, sent, sent), survives=stage in ENDED, cold=stage == "building"
    )
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
    "no disk for reports": Case(full_disk("64k", "reports")),
    "no disk for temporary files": Case(full_disk("4k", "TMPDIR")),
    "images truncated": Case(before(truncate_images), survives=True),
    "images empty": Case(before(empty_images), survives=True),
    "images lost": Case(before(lose_images), survives=True),
    "build databases truncated": Case(before(damage_databases), survives=True),
    "results damaged before the run": Case(before(damage_results), survives=True, loses=True),
    "results damaged in mid-run": Case(while_held("tested", damage_results), survives=True),
    "starved": Case(starved, survives=True),
    "nobody reads the output": Case(reader_leaves),
    "the terminal closes": Case(terminal_closes),
    "no standard input": Case(closed(0), survives=True),
    "no standard output": Case(closed(1, 2)),
    "SCons is killed": Case(tool_killed("scons"), cold=True),
    "no disk to build": Case(no_disk_to_build),
    "reports lost in mid-run": Case(while_held("tested", lose_reports), survives=True),
    "reports in another folder": Case(while_held("tested", another_folder), survives=True),
    "a file in place of the reports": Case(reports_lost_and_found),
    "a network changed": Case(changed("models", MODEL, "gesture_int8.tflite")),
    "a manifest changed": Case(changed("models", MODEL, "model.toml")),
    "a recording changed": Case(changed("recordings", MODEL, RECORDING)),
    "another session ends": Case(others_results, survives=True),
    "two runs at once": Case(two_at_once, survives=True),
    "a worker stands still": Case(worker_stands_still),
    "the board is unplugged": Case(unplugged),
}


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chaos]:
    """A project with one model of one variant and one recording, warm, with a baseline and an earlier session."""
    root = tmp_path_factory.mktemp("chaos") / "project"
    Project(root)
    shutil.copytree(ROOT / "models" / MODEL, root / "models" / MODEL)
    manifest = root / "models" / MODEL / "model.toml"
    manifest.write_text(VARIANT_LEFT.sub("", manifest.read_text()))
    recordings = root / "recordings" / MODEL
    recordings.mkdir(parents=True)
    shutil.copy(ROOT / "recordings" / MODEL / RECORDING, recordings)
    (recordings / "recordings.toml").write_text(RECORDINGS)
    chaos = Chaos(root, root.parent / "chaos")
    chaos.start("--hil-update-baseline")
    assert chaos.end() == 0, chaos.said()
    chaos.plant(EARLIER)
    yield chaos
    shutil.rmtree(root / ".hil", ignore_errors=True)


@pytest.fixture
def chaos(project: Chaos) -> Iterator[Chaos]:
    """The project as it was made, whatever the accident before did to it."""
    pristine = project.root.parent / "pristine"
    if not pristine.exists():
        pristine.mkdir()
        for name in KEPT:
            shutil.copytree(project.root / name, pristine / name)
    yield project
    for name in KEPT:
        folder = project.root / name
        folder.unlink() if folder.is_file() else shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(pristine / name, folder)


@pytest.mark.parametrize("name", CASES)
def test_accident(name: str, chaos: Chaos) -> None:
    case = CASES[name]
    if case.cold:
        for part in ("objects", "pio", "firmware"):
            shutil.rmtree(chaos.root / ".hil" / part, ignore_errors=True)
    results, kept = chaos.results(), chaos.kept()
    case.happens(chaos)
    status = chaos.end()
    assert chaos.orphans() == []
    assert "INTERNALERROR" not in chaos.said()
    # A second signal while pytest itself ends is pytest's to tell, and it does so with a traceback.
    assert "Traceback" not in chaos.said() or "twice" in name
    if case.survives:
        assert status == 0, chaos.said()
        assert chaos.verdict() == "pass"
    else:
        assert status != 0, chaos.said()
        # Reports that this run has not touched are those of the earlier one, which passed.
        assert case.late or chaos.results() == results or chaos.verdict() in ("fail", "incomplete"), chaos.said()
    if not case.loses:
        assert chaos.kept() == kept
    chaos.start()
    assert chaos.end() == 0, chaos.said()
    assert chaos.verdict() == "pass"
    assert chaos.orphans() == []
    if not case.loses:
        assert chaos.kept() == kept
