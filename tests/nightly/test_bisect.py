"""`hil bisect` finds a real change of the firmware, in a clone of this repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.firmware_helpers import ROOT
from support.needs import needs_emulator
from support.scratch_repository import Repository

KERNEL = "firmware/lib/aot/kernels/softmax/aot_softmax_s8.c"
LINE = "    int32_t maximum = INT8_MIN;\n"
SLOWER = f"    for (volatile int i = 0; i < 100; i++) {{\n    }}\n{LINE}"


@needs_emulator
@pytest.mark.nightly  # It builds the firmware from nothing, and then twice.
def test_the_commit_that_made_a_kernel_slower_is_found_with_the_reason(tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", ROOT, tmp_path / "clone"], check=True)
    repository = Repository(tmp_path / "clone")

    def commit(subject: str, file: str, before: str, after: str) -> str:
        path = repository.root / file
        content = path.read_text()
        assert before in content
        path.write_text(content.replace(before, after, 1))
        return repository.commit(subject)

    good = repository.git("rev-parse", "HEAD")
    commit("Say more", "README.md", "\n", "\nMore.\n")
    slower = commit("Wait a little", KERNEL, LINE, SLOWER)
    commit("Say even more", "README.md", "\n", "\nEven more.\n")
    hil = (sys.executable, "-c", "from tflm_hil.cli import main; main()")
    done = subprocess.run(
        [
            *hil,
            "bisect",
            "latency.median",
            "--good",
            good,
            "--",
            "--board=emulated",
            "--hil-model=gesture",
            "-k",
            "int8",
        ],
        cwd=repository.root,
        env={**os.environ, "PYTHONPATH": str(repository.root / "harness")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{slower} moved latency.median: Wait a little" in done.stdout
    assert "gesture-int8-aot-stm32f4 (qemu), against " in done.stdout
    assert "1 regressed" in done.stdout
    assert repository.git("status", "--porcelain") == ""
