"""The order of tests, and how workers share them out: an image is flashed as seldom as possible."""

from __future__ import annotations

import pytest
from support.fake_project import FLOAT32, INT8, FakeProject
from tflm_hil.pytest_plugin import options

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


def listed(result: pytest.RunResult) -> list[str]:
    return [line.partition("::test_")[2] for line in result.outlines if "::" in line]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    pytester.makeconftest(CONFTEST)
    return FakeProject(pytester, monkeypatch, SUITE)


def test_tests_of_an_image_stay_together_and_those_without_go_with_the_first(project: FakeProject) -> None:
    assert listed(project("--collect-only", "-q")) == [
        "first",
        f"answers[{INT8}-a.csv]",
        f"answers[{INT8}-b.csv]",
        f"image[{INT8}]",
        "between",
        "last",
        f"answers[{FLOAT32}-a.csv]",
        f"answers[{FLOAT32}-b.csv]",
        f"image[{FLOAT32}]",
    ]


def test_each_module_is_set_up_once_for_each_image(project: FakeProject) -> None:
    module = """
        from pathlib import Path

        def setup_module(module):
            with Path("set-up").open("a") as file:
                file.write(f"{module.__name__}\\n")

        def test_answers(firmware, feed):
            pass

        class TestClass:
            def test_image(self, firmware):
                pass

            def test_speed(self, firmware, feed):
                pass
    """
    project.pytester.makepyfile(test_suite=module, test_zoo=module)
    assert project().ret == pytest.ExitCode.OK
    assert (project.pytester.path / "set-up").read_text().split() == ["test_suite", "test_zoo"] * 2


def test_what_stepwise_leaves_out_has_been_run(project: FakeProject) -> None:
    project.pytester.makepyfile(
        test_suite="""
        def test_good(firmware):
            pass

        def test_bad():
            raise AssertionError
        """
    )
    project("--stepwise").assert_outcomes(passed=1, failed=1)
    project("--stepwise").assert_outcomes(failed=1, deselected=1)


@pytest.mark.parametrize(
    ("arguments", "board", "dist"),
    [
        (["-n2"], True, "worksteal"),
        (["-n2", "--dist=load"], True, "load"),
        (["-n2", "-d"], True, "load"),
        (["-n2", "--maxschedchunk=1"], True, "load"),
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


def test_an_xdist_that_cannot_do_that_shares_out_as_it_always_does(project: FakeProject) -> None:
    project.monkeypatch.setattr(options, "find_spec", lambda _name: None)
    assert "dist=load" in project("--collect-only", "-n2").outlines


def test_without_xdist_there_is_nothing_to_share_out(project: FakeProject) -> None:
    project.plugins = ()
    project.pytester.makeconftest("")
    assert project("--collect-only").ret == pytest.ExitCode.OK
