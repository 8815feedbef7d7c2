"""Builds wait for each other, and say so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.firmware_helpers import ROOT
from tflm_hil.firmware import build_lock as turns
from tflm_hil.firmware.build_lock import build_lock

HOLDER = """
import sys
from pathlib import Path
from tflm_hil.firmware.build_lock import build_lock

with build_lock(Path(sys.argv[1]), "an image", print):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_build_that_waits_says_for_whom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "lock"
    monkeypatch.setattr(turns, "SAY_EVERY_S", 0.01)
    argv = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "held\n"
        said: list[str] = []

        def say(text: str) -> None:
            said.append(text)
            holder.kill()

        with build_lock(lock, "another image", say):
            pass
    assert said[0] == f"waiting for process {holder.pid}, which does an image, 0 s"
