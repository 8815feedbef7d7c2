"""Tests that feed a sensor run where there is one, and where the board can feed it; elsewhere they are skipped."""

from __future__ import annotations

import pytest
from support.fake_project import INT8, FakeProject

SUITE = """
    from types import SimpleNamespace
    import pytest

    @pytest.fixture
    def device(firmware):
        board = SimpleNamespace(name="desk", sensor=SENSOR)
        return SimpleNamespace(firmware=firmware, board=board)

    def test_fed(fed_sensor, firmware):
        print("FED", fed_sensor, firmware.name)
"""


def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, sensor: str) -> FakeProject:
    return FakeProject(pytester, monkeypatch, SUITE.replace("SENSOR", sensor))


def test_it_runs_for_targets_that_have_a_sensor(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    result = project(pytester, monkeypatch, "'imu'")("-s", FAKE_SENSOR="int8")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*FED imu {INT8}*"])


def test_it_is_skipped_if_no_target_has_one(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    result = project(pytester, monkeypatch, "'imu'")("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no target here has a sensor that the firmware reads for a model"])


def test_it_is_skipped_if_the_board_feeds_none(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    result = project(pytester, monkeypatch, "None")("-rs", FAKE_SENSOR="int8")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*desk: nothing here feeds its sensor"])
