"""Ctrl-C while Python still imports the harness, and while a command runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.firmware_helpers import ROOT

# An import that is interrupted, as by SIGINT.
INTERRUPTING = "raise KeyboardInterrupt\n"

RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from {} import main; sys.argv[0] = 'x'; sys.exit(main())"


@pytest.mark.parametrize(
    ("program", "argument", "status", "line"),
    [
        ("tflm_hil.cli", "--help", 130, "hil: interrupted"),
        ("pytest", "--board=emulated", pytest.ExitCode.INTERRUPTED, "Exit: hil: interrupted"),
    ],
)
def test_an_interrupted_import_is_one_line(tmp_path: Path, program: str, argument: str, status: int, line: str) -> None:
    (tmp_path / "msgspec.py").write_text(INTERRUPTING)
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(program), str(tmp_path), argument],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stderr.splitlines() == [line]
    assert done.returncode == status


WORKS = """
import os, signal, sys
from tflm_hil.cli import working
from tflm_hil.cli import main

def session(*_: object) -> None:
    os.kill(os.getpid(), signal.{})
    signal.pause()

working.Session = session
sys.argv = ["hil", "build", "gesture"]
main()
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_an_interrupted_command_is_one_line(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKS.format(name)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stderr.splitlines() == ["hil: interrupted"]
    assert done.returncode == 130


@pytest.mark.parametrize("arguments", [["--version"], ["targets"]])
def test_output_that_a_full_disk_does_not_take_is_one_line(arguments: list[str]) -> None:
    program = f"import sys; from tflm_hil.cli import main; sys.argv = {['hil', *arguments]}; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.stderr.splitlines() == [
        "hil: the output cannot be written: No space left on device; free some space, or send it elsewhere"
    ]
    assert done.returncode == 1


def test_a_command_under_nohup_outlives_its_terminal() -> None:
    program = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + WORKS.format("SIGHUP")
    program = program.replace("signal.pause()", "sys.exit('went on')")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stderr.splitlines() == ["went on"]
