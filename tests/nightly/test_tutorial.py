"""docs/tutorial.md: each of its commands, in an empty folder, at the port of an emulated Uno."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.firmware_helpers import ROOT
from support.needs import needs_emulator, needs_tensorflow
from support.uno import STILL, Rows, emulated_uno, session
from tflm_hil.models.manifest import load_models
from tflm_hil.recordings import load_recordings

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
COMMANDS = [line.strip() for line in re.findall(r"^    ((?:hil|pytest|mkdir|cd|pip) .*)$", PAGE, flags=re.MULTILINE)]
PORT = "/dev/ttyACM0"

pytestmark = [pytest.mark.nightly, needs_emulator, needs_tensorflow]


class Arm:
    """What simulated people do, each command with other ones."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "recordings.simulate", "gesture", "--output", str(folder)]
        options = ["--sessions", "40", "--continuous", "0", "--seed", "3"]
        subprocess.run([*command, *options], check=True, cwd=ROOT)
        recordings = load_recordings(folder, load_models(ROOT)["gesture"].channels)
        self._gestures = {
            label: [each.samples for each in recordings if each.label == label] for label in ("punch", "flex")
        }
        self._dice = np.random.default_rng(3)

    def sensed(self, command: str) -> Rows:
        """What the sensor senses during a command: the gestures that it asks for, or a punch."""
        label = command.partition("--label ")[2].partition(" ")[0] or "punch"
        if label == "idle":
            return (np.tile(STILL, (700, 1)) + self._dice.integers(-40, 41, (700, 6))).astype(np.int16)
        count = int(command.partition("--count ")[2] or 1)
        return session([self._gestures[label].pop() for _ in range(count)])


def run(argv: Sequence[str], folder: Path, is_endless: bool) -> str:
    """Run a command of the page. One without an end gets Ctrl-C once it has classified something."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HIL_")}
    program = Path(sys.executable).with_name(argv[0])
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen([program, *argv[1:]], cwd=folder, env=environment, text=True, **streams) as process:  # type: ignore[call-overload]
        said = ""
        for line in process.stdout:
            said += line
            if is_endless and re.search(r"#\d+  ", line):
                process.send_signal(signal.SIGINT)
    assert process.returncode == (130 if is_endless else 0), said
    return said


def test_every_command_works(tmp_path: Path) -> None:
    assert len(COMMANDS) > 12
    arm, folder = Arm(tmp_path / "simulated"), tmp_path
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        if program == "mkdir":
            (folder / arguments[0]).mkdir()
        elif program == "cd":
            folder /= arguments[0]
        elif PORT in arguments:
            with emulated_uno(arm.sensed(command)) as port:
                arguments[arguments.index(PORT)] = port
                run([program, *arguments], folder, is_endless=arguments[0] == "live")
        elif program != "pip":
            said = run([program, *arguments], folder, is_endless=False)
            if "--hil-update-baseline" not in command and program == "pytest":
                assert said.count("  pass\n") == 2, said
    assert (folder / "reports" / "paper" / "paper.md").is_file()
    assert (folder / "build" / "gestures" / "library").is_dir()
    assert (folder / "models" / "gestures" / "MODEL_CARD.md").is_file()
    assert (folder / "recordings" / "gestures" / "punch.csv").read_text().count("\n\n") == 20
