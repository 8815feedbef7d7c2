"""Damaged models by the hundred: each is compiled or refused in one line; none crashes, hangs or eats the memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.compiler_helpers import ROOT, needs_gcc


def fuzz(first: int, count: int, every: int, folder: Path) -> None:
    script = ROOT / "tests" / "support" / "fuzz_models.py"
    arguments = [sys.executable, str(script), str(first), str(count), str(every), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    result = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{result.stdout[-100:]}\n{result.stderr}"


def test_damaged_models_are_compiled_or_refused(tmp_path: Path) -> None:
    fuzz(0, 500, 0, tmp_path)


@pytest.mark.nightly
@needs_gcc
@pytest.mark.parametrize("batch", range(10))
def test_many_damaged_models_are_compiled_or_refused(batch: int, tmp_path: Path) -> None:
    # Of those that compile some run, too: whatever the compiler takes must be sound C.
    fuzz(1000 + 2000 * batch, 2000, 10, tmp_path)
