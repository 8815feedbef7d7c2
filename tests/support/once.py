"""Make something expensive in one worker of a run, for all workers."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"process-{os.getpid()}")
FOLDER = Path(tempfile.gettempdir()) / f"tflm-hil-tests-{_RUN}"


def once(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name`, which `make` has filled here or in another worker of this run."""
    FOLDER.mkdir(exist_ok=True)
    folder = FOLDER / name
    with FileLock(FOLDER / f"{name}.lock"):
        if not folder.exists():
            aside = Path(tempfile.mkdtemp(dir=FOLDER))
            make(aside)
            aside.rename(folder)
    return folder
