"""What one worker of pytest-xdist has measured in an emulator, the others do not measure again: it would be the same.

With real boards each worker measures for itself: one that waits for a board must not keep what others wait for.
"""

from __future__ import annotations

import hashlib
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tflm_hil.lab.measurement import Measurement, TensorMeasurement

_FOLDER = "hil_measured"

Measured = tuple[Measurement | TensorMeasurement, Path]
"""A measurement, and its UART log."""


class MeasuredOnce:
    """Lives in the controlling process, and gives its workers a folder that they share."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._folder = ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where it is; with `--dist each`, every worker is to do everything by itself."""
        if self._config.getoption("dist") == "each":
            return
        if not self._folder:
            scratch = tempfile.TemporaryDirectory(prefix="hil-")
            self._config.add_cleanup(scratch.cleanup)
            self._folder = scratch.name
        node.workerinput[_FOLDER] = self._folder


def measured_once(config: pytest.Config, key: tuple[str | None, ...], measure: Callable[[], Measured]) -> Measured:
    """What `measure` returns, or what it returned in another worker for the same `key`, unless something was lost.

    Waits for a worker that is at it.
    """
    folder = getattr(config, "workerinput", {}).get(_FOLDER)
    if folder is None:
        return measure()
    path = Path(folder) / hashlib.sha256(repr(key).encode()).hexdigest()
    with FileLock(path.with_suffix(".lock")):
        if path.exists():
            known: Measured = pickle.loads(path.read_bytes())
            return known
        found = measure()
        if not found[0].lost:
            unfinished = path.with_suffix(".new")
            unfinished.write_bytes(pickle.dumps(found))
            unfinished.replace(path)
        return found
