"""Boards and pytest-xdist: which worker has which board, and what each board did in all of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tflm_hil.boards.selection import BoardSet
from tflm_hil.errors import HilError
from tflm_hil.lab.claims import Claims
from tflm_hil.lab.pool import BoardPool
from tflm_hil.results.parts import BoardPart

_FOLDER = "hil_claims"
_CARRIED = "hil_boards"
_POOLS = pytest.StashKey[list[BoardPool]]()


def process() -> str:
    """The name of this process among those of the session."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def check_workers(config: pytest.Config, boards: Iterable[BoardSet]) -> None:
    """Raise HilError if there are more workers than boards to have one each."""
    # With --maxprocesses, pytest-xdist starts fewer than -n says.
    workers = len(config.getoption("tx")) if config.getoption("numprocesses", None) else 0
    for each in boards if workers > 1 else ():
        count = each.processes()
        if count is not None and workers > count:
            few = "1 board, which one process" if count == 1 else f"{count} boards, each of which one process"
            advice = "leave -n out" if count == 1 else f"write -n {count}, or leave -n out"
            raise HilError(f"-n {workers}: {each.name}: {few} can have at a time: {advice}, or name more boards")


def claims(config: pytest.Config, boards: BoardSet) -> Claims:
    """Which of `boards` this process may use: a worker one of several at a time, everybody else all."""
    worker = getattr(config, "workerinput", None)
    return Claims(Path(worker[_FOLDER]) if worker is not None and len(boards.choices) > 1 else None)


def note(config: pytest.Config, pool: BoardPool) -> None:
    """Take `pool` into what is told of boards at the end."""
    config.stash.setdefault(_POOLS, []).append(pool)


class Sharing:
    """In every process: a worker hands over what its boards did, and the controlling process collects it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._folder = ""
        self._parts: list[BoardPart] = []

    @property
    def parts(self) -> list[BoardPart]:
        """What became of all boards."""
        here = [part for pool in self._config.stash.get(_POOLS, []) for part in pool.parts(process())]
        return [*self._parts, *here]

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where claims are made."""
        if not self._folder:
            scratch = tempfile.TemporaryDirectory(prefix="hil-")
            self._config.add_cleanup(scratch.cleanup)
            self._folder = scratch.name
        node.workerinput[_FOLDER] = self._folder

    @pytest.hookimpl(tryfirst=True)  # before pytest-xdist sends what a worker hands over
    def pytest_sessionfinish(self) -> None:
        """Hand over; one that was killed does not."""
        if hasattr(self._config, "workeroutput"):
            self._config.workeroutput[_CARRIED] = self.parts

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what a worker hands over."""
        self._parts += getattr(node, "workeroutput", {}).get(_CARRIED, [])
