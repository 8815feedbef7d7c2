"""The plugin beside others, and in projects that do not use it: it acts on its own tests, and on nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from support.fake_project import FLOAT32, INT8, TESTS, FakeProject

# Where .ci/setup installs the plugins of tests/support/neighbours.txt.
NEIGHBOURS = Path(sys.prefix) / "neighbours"

SUITE = """
    import signal, unittest
    from pathlib import Path
    import pytest
    from support import fake_session

    def test_parity(firmware, feed, record):
        fake_session.answer(record)

    def test_size(firmware, record):
        record.footprint(500, 300)

    class TestForeign:
        @pytest.fixture
        def firmware(self):
            return "foreign"

        def test_foreign(self, firmware, request):
            assert firmware == "foreign"
            assert request.node.get_closest_marker("hil") is None
            with Path("foreign").open("a") as file:
                file.write("ran ")
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    project = FakeProject(pytester, monkeypatch, SUITE)
    project.plugins = ()
    return project


def check_pass(project: FakeProject) -> None:
    """Every test counted once, with the figures of one run, and foreign tests ran."""
    assert project.verdicts == {INT8: "pass", FLOAT32: "pass"}
    for name in (INT8, FLOAT32):
        run = project.run(name)
        assert sorted(case.id for case in run.tests) == [
            f"test_suite.py::test_parity[{name}-a.csv]",
            f"test_suite.py::test_parity[{name}-b.csv]",
            f"test_suite.py::test_size[{name}]",
        ]
        assert run.parity is not None
        assert run.parity.windows == 20
        assert run.firmware is not None
        assert run.firmware.flash_bytes == 20000
        assert run.tries == 1
    assert "ran" in (project.pytester.path / "foreign").read_text()


# The plugins and what they are told; those with `apart` leave something behind in the process.
BESIDE = {
    "embedded": (["pytest_embedded"], ["--target=esp32"], "apart"),
    "html": (["metadata", "html", "html_fixtures"], ["--html=out.html", "--self-contained-html"], ""),
    "allure": (["allure_pytest"], ["--alluredir=allure"], ""),
    "randomly": (["randomly"], [], ""),
    "timeout": (["timeout"], ["--timeout=60"], ""),
    "rerunfailures": (["xdist", "rerunfailures"], ["--reruns=1"], ""),
    "repeat": (["pytest_repeat"], ["--count=3"], ""),
}


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("name", BESIDE)
def test_another_plugin_changes_no_figure_and_no_verdict(project: FakeProject, name: str, order: str) -> None:
    if not NEIGHBOURS.is_dir():
        pytest.skip(f"{NEIGHBOURS} is missing: run .ci/setup")
    project.pytester.syspathinsert(str(NEIGHBOURS))
    project.monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), str(NEIGHBOURS)]))
    plugins, arguments, apart = BESIDE[name]
    project.first, project.plugins = (tuple(plugins), ()) if order == "before" else ((), tuple(plugins))
    result = project(*arguments, apart=bool(apart))
    assert result.ret == pytest.ExitCode.OK, result.stdout.str()
    check_pass(project)
    if name == "allure":
        said = "".join(path.read_text() for path in (project.pytester.path / "allure").glob("*-result.json"))
        assert f'{{"name": "firmware", "value": "{INT8}"}}' in said
    if name == "repeat":
        assert (project.pytester.path / "foreign").read_text().count("ran") == 3


def test_every_worker_runs_every_test_and_each_counts_once(project: FakeProject) -> None:
    project.plugins = ("xdist",)
    assert project("--dist=each", "--tx=2*popen").ret == pytest.ExitCode.OK
    check_pass(project)
    assert (project.pytester.path / "foreign").read_text().count("ran") == 2


@pytest.mark.parametrize(
    "name", ["junitxml", "tmpdir", "terminal", "cacheprovider", "capture", "logging", "warnings", "skipping", "doctest"]
)
def test_plugins_of_pytest_itself_may_be_missing(project: FakeProject, name: str) -> None:
    result = project("-p", f"no:{name}")
    assert result.ret == pytest.ExitCode.OK, result.stdout.str() + result.stderr.str()
    check_pass(project)
    assert (project.pytester.path / "reports" / "junit.xml").exists() == (name != "junitxml")


def test_warnings_that_are_errors_are_nobodys_error(project: FakeProject) -> None:
    result = project("-W", "error", apart=True, PYTHONWARNINGS="error")
    assert result.ret == pytest.ExitCode.OK, result.stdout.str()
    assert not result.stderr.str()
    check_pass(project)


def test_with_a_board_and_no_test_of_firmware_the_junit_file_that_was_asked_for_is_written(
    project: FakeProject,
) -> None:
    project.pytester.makepyfile(test_suite="def test_foreign(): pass")
    assert project("--junitxml=theirs.xml").ret == pytest.ExitCode.OK
    assert "test_foreign" in (project.pytester.path / "theirs.xml").read_text()
    assert not list((project.pytester.path / "reports").iterdir())


NO_BOARD = "*needs a board: run `pytest --board=emulated`*"


def test_without_a_board_nothing_is_said_or_done_but_own_tests_are_skipped(project: FakeProject) -> None:
    project.board = ()
    project.pytester.makepyfile(
        test_more="""
        import signal
        import pytest

        @pytest.fixture(scope="session")
        def laboratory():
            raise ConnectionError

        def test_of_firmware_in_the_laboratory(laboratory, device):
            pass

        def test_signals_are_as_they_were():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL

        def test_dynamic(request):
            request.getfixturevalue("device")
        """
    )
    result = project("-rs")
    result.assert_outcomes(passed=2, skipped=4)
    result.stdout.fnmatch_lines([NO_BOARD])
    result.stdout.no_fnmatch_line("hil:*")
    assert not (project.pytester.path / "reports").exists()
    result = project("-m", "not hil")
    result.assert_outcomes(passed=2, skipped=1, deselected=3)


def test_a_project_without_a_board_imports_next_to_nothing_for_us(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test(): pass")
    pytester.makeconftest(
        """
        import sys

        def pytest_unconfigure(config):
            name = "without" if config.pluginmanager.is_blocked("hil") else "with"
            (config.rootpath / name).write_text("\\n".join(sys.modules))
        """
    )
    pytester.makeini("[pytest]")
    for plugin in ("hil", "no:hil"):
        pytester.runpytest_subprocess("-p", plugin).assert_outcomes(passed=1)
    modules = [set((pytester.path / name).read_text().split()) for name in ("with", "without")]
    ours = {"option", "options", "fixtures", "hookspecs", "ownership"}
    assert modules[0] - modules[1] == {
        *("tflm_hil", "tflm_hil.errors", "tflm_hil.pytest_plugin"),
        *(f"tflm_hil.pytest_plugin.{name}" for name in ours),
    }
