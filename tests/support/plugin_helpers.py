"""Run pytest with the plugin."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from tflm_hil.results.model import Results

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "tests" / "test_hil.py"

PREDICTIONS = "from tflm_hil.suite.predictions import test_predictions_equal_the_reference"

ONE_WINDOW = """
    def test_one_window(device, recordings, reference, record):
        measurement = device.stream(recordings[:1])
        record.measurement(measurement)
        record.parity(measurement.parity(reference))
"""


class Hil:
    """Runs pytest on the files of a test, with the project's simplest model and its cache of built firmware."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester = pytester
        monkeypatch.setenv("HIL_MODEL", "gesture")
        monkeypatch.setenv("HIL_ENGINE", "aot")
        for variable in ("HIL_BOARD", "HIL_TARGET", "HIL_EMULATOR", "HIL_REPORT", "HIL_TFLM_LIB"):
            monkeypatch.delenv(variable, raising=False)

    def __call__(self, *arguments: str | Path) -> pytest.RunResult:
        own = (f"--hil-report={self._pytester.path / 'reports'}", "--hil-baseline=none")
        return self._pytester.runpytest_inprocess(f"--rootdir={ROOT}", "-p", "no:cacheprovider", *own, *arguments)


def read_results(pytester: pytest.Pytester) -> Results:
    return msgspec.json.decode((pytester.path / "reports" / "results.json").read_bytes(), type=Results)
