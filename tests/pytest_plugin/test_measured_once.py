"""What workers of pytest-xdist measure, and what they take over from one another."""

from __future__ import annotations

from collections import Counter

import pytest
from support.fake_project import FLOAT32, INT8, FakeProject

SUITE = """
    import os
    import pytest
    from support import fake_session
    from tflm_hil.pytest_plugin.fixtures import UART_LOG

    @pytest.fixture
    def device(request, firmware, tmp_path):
        request.node.stash[UART_LOG] = tmp_path / "log"
        class Device(fake_session.FakeDevice):
            def stream(self, recordings, go_on):
                with open("streamed", "a") as file:
                    file.write(f"{firmware.name} {[each.name for each in recordings]}\\n")
                return super().stream(recordings, go_on)
        return Device(firmware)

    @pytest.mark.xdist_group("one worker")
    def test_answers(measurement, record):
        fake_session.answer(record)

    @pytest.mark.xdist_group("the other")
    def test_speed(whole_measurement, record):
        record.measurement(whole_measurement)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    return FakeProject(pytester, monkeypatch, SUITE)


@pytest.mark.parametrize(("dist", "times"), [("loadgroup", 1), pytest.param("each", 2, marks=pytest.mark.nightly)])
def test_each_feed_is_streamed_once_unless_each_worker_is_to_do_everything(
    project: FakeProject, dist: str, times: int
) -> None:
    project("-n", "2", "--dist", dist).assert_outcomes(passed=6 * times)
    streamed = Counter((project.pytester.path / "streamed").read_text(encoding="utf-8").splitlines())
    assert len(streamed) == 4
    assert set(streamed.values()) == {times}
    assert project.verdicts == {INT8: "pass", FLOAT32: "pass"}
    assert project.run().latency == project.run(FLOAT32).latency


def test_whoever_wants_all_feeds_begins_where_those_who_want_one_end(project: FakeProject) -> None:
    project("-k", "test_speed and int8").assert_outcomes(passed=1)
    streamed = (project.pytester.path / "streamed").read_text(encoding="utf-8").splitlines()
    assert [line.partition("/")[0] for line in streamed] == [f"{INT8} ['b", f"{INT8} ['a"]


@pytest.mark.nightly  # two more workers
def test_what_was_lost_is_not_handed_on(project: FakeProject) -> None:
    result = project("-n", "2", "--dist", "loadgroup", FAKE_LOST="b/1", FAKE_LOST_AGAIN="")
    result.assert_outcomes(passed=2, failed=4)
    streamed = Counter((project.pytester.path / "streamed").read_text(encoding="utf-8").splitlines())
    assert sorted(streamed.values()) == [1, 1, 2, 2]
