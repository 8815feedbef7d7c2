"""The hooks that other plugins and conftest.py files may implement: see docs/pytest-plugin.md.

They are called only if a board is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from tflm_hil.lab.build import Firmware
    from tflm_hil.pytest_plugin.measuring import AnyMeasurement
    from tflm_hil.results.model import Results, Run


def pytest_hil_firmware_built(config: pytest.Config, firmware: Firmware) -> None:
    """An image is built, or was up to date. Called once for each image in each process that runs tests of it."""


def pytest_hil_measured(config: pytest.Config, feed: str, measurement: AnyMeasurement) -> None:
    """The device has answered to all of `feed`, a file of recordings or `stimuli`, in this process."""


def pytest_hil_run_judged(config: pytest.Config, run: Run) -> None:
    """A run of this session has its figures and its verdict, and the reports are written.

    Called at the end, in the controlling process only.
    """


def pytest_hil_report_lines(config: pytest.Config, results: Results) -> str | list[str]:  # type: ignore[empty-body]
    """Return lines to show below the figures, on the terminal, in report.html, and in report.md (as Markdown).

    Called at the end, in the controlling process only, when all runs have their verdicts.
    """
