"""Make something expensive in one worker of a run, for all workers."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

_VARIABLE = "TFLM_HIL_TESTS_FOLDER"
"""Workers, and sessions that tests run, inherit it. What has set it removes the folder."""

if _VARIABLE not in os.environ:
    os.environ[_VARIABLE] = tempfile.mkdtemp(prefix="tflm-hil-tests-")
    atexit.register(shutil.rmtree, os.environ[_VARIABLE], ignore_errors=True)
FOLDER = Path(os.environ[_VARIABLE])


def once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name`, which `make` has filled here or in another worker of this run."""
    folder = FOLDER / name
    with FileLock(FOLDER / f"{name}.lock"):
        if not folder.exists():
            aside = Path(tempfile.mkdtemp(dir=FOLDER))
            make(aside)
            aside.rename(folder)
    return folder
