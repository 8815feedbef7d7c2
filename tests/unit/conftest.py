"""Tests that take minutes are marked `nightly` and run only where -m names that marker. None has a deadline."""

from __future__ import annotations

import os
import shutil
import signal

# What pytester's runs in this process import for the first time is forgotten after them, and some of these cannot be
# imported twice.
import ai_edge_litert.interpreter  # noqa: F401
import hypothesis
import pint  # noqa: F401
import pytest
import tflite_micro.python.tflite_micro.runtime
import tflite_micro.tensorflow.lite.micro.python.schema_py_generated  # noqa: F401
from once import FOLDER

import harness.cli
import harness.plugin  # noqa: F401


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "nightly" not in config.getoption("markexpr"):
        nightly = [item for item in items if item.get_closest_marker("nightly")]
        config.hook.pytest_deselected(items=nightly)
        items[:] = [item for item in items if item not in nightly]


def pytest_configure(config: pytest.Config) -> None:
    """Set up hypothesis and SIGINT.

    An example takes as long as a loaded machine makes it take, so there is no deadline. The same commit tries the same
    examples; only nightly tests draw new ones. A shell has its background jobs ignore SIGINT, and what they start: the
    tests that send one need it.
    """
    nightly = "nightly" in config.getoption("markexpr")
    hypothesis.settings.register_profile("tflm-hil", deadline=None, derandomize=not nightly)
    hypothesis.settings.load_profile("tflm-hil")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(FOLDER, ignore_errors=True)
