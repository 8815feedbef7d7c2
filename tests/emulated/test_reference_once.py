"""The reference computes the answer to a window once, however many checks look at it."""

from __future__ import annotations

import pytest
from support.counted_reference import count_inferences
from support.needs import needs_emulator
from support.plugin_helpers import PREDICTIONS, Hil, read_results


@pytest.mark.nightly  # another session
@needs_emulator
def test_building_and_testing_an_image_infers_once_on_each_window(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = count_inferences(monkeypatch)
    pytester.makepyfile(test_predictions=PREDICTIONS)
    Hil(pytester, monkeypatch)("--board=emulated", "-k", "int8 and flex").assert_outcomes(passed=1)
    (run,) = [run for run in read_results(pytester).runs if run.current]
    assert run.parity is not None
    assert run.attribution is not None
    assert run.parity.windows == run.attribution.windows == 60
    assert set(counted.values()) == {1}
    assert len(counted) <= run.parity.windows
