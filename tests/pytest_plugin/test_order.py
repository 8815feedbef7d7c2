"""The order of tests, and how workers share them out: an image is flashed as seldom as possible."""

from __future__ import annotations

import pytest
from support.fake_project import FLOAT32, INT8, FakeProject

SUITE = """
    def test_first():
        pass

    def test_answers(measurement):
        pass

    def test_between():
        pass

    def test_image(firmware):
        pass

    def test_last():
        pass
"""
CONFTEST = """
    def pytest_report_header(config):
        return f"dist={config.option.dist}"
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    pytester.makeconftest(CONFTEST)
    return FakeProject(pytester, monkeypatch, SUITE)


def test_tests_of_an_image_stay_together_and_others_stay_where_they_are(project: FakeProject) -> None:
    listed = [line.partition("::test_")[2] for line in project("--collect-only", "-q").outlines if "::" in line]
    assert listed == [
        "first",
        f"answers[{INT8}-a.csv]",
        f"answers[{INT8}-b.csv]",
        f"image[{INT8}]",
        f"answers[{FLOAT32}-a.csv]",
        "between",
        f"answers[{FLOAT32}-b.csv]",
        f"image[{FLOAT32}]",
        "last",
    ]


@pytest.mark.parametrize(
    ("arguments", "board", "dist"),
    [
        (["-n2"], True, "worksteal"),
        (["-n2", "--dist=load"], True, "load"),
        (["-n2", "--dist=loadgroup"], True, "loadgroup"),
        (["-n2"], False, "load"),
        (["-n0"], True, "no"),
        ([], True, "no"),
    ],
)
def test_workers_take_tests_that_follow_one_another_unless_the_user_says_how(
    project: FakeProject, arguments: list[str], board: bool, dist: str
) -> None:
    project.board = project.board if board else ()
    assert f"dist={dist}" in project("--collect-only", *arguments).outlines


def test_without_xdist_there_is_nothing_to_share_out(project: FakeProject) -> None:
    project.plugins = ()
    project.pytester.makeconftest("")
    assert project("--collect-only").ret == pytest.ExitCode.OK
