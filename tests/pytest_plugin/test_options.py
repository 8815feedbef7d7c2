"""Options, whoever else declares some of the same name, and whenever."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.fake_project import FakeProject

SUITE = """
    def test_of_firmware(firmware):
        print("TESTED", firmware.name)

    def test_options(pytestconfig):
        options = {name: value for name, value in vars(pytestconfig.option).items() if name.startswith("their_")}
        print("THEIRS", options)
"""
# Another plugin's options of all names that we might want as well.
OTHERS = """
    def pytest_addoption(parser):
        parser.addoption("--board", dest="their_board", choices=["uno", "due"])
        parser.addoption("--target", dest="their_target", action="store_true")
        for name in ("model", "engine", "emulator", "link"):
            parser.addoption("--" + name, dest="their_" + name)
"""
THEIRS = ("--board=uno", "--target", "--model=x", "--engine=x", "--emulator=x", "--link=x")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    project = FakeProject(pytester, monkeypatch, SUITE)
    project.plugins = ()
    project.board = ()
    return project


def loaded_before(project: FakeProject) -> None:
    project.pytester.makepyfile(neighbour=OTHERS)
    project.pytester.syspathinsert()
    project.first = ("neighbour",)


def loaded_after(project: FakeProject) -> None:
    project.pytester.makepyfile(neighbour=OTHERS)
    project.pytester.syspathinsert()
    project.plugins = ("neighbour",)


def in_a_conftest(project: FakeProject) -> None:
    project.pytester.makeconftest(OTHERS)


def by_a_conftest(project: FakeProject) -> None:
    project.pytester.makepyfile(neighbour=OTHERS)
    project.pytester.syspathinsert()
    project.pytester.makeconftest("pytest_plugins = ['neighbour']")


@pytest.mark.parametrize("declare", [loaded_before, loaded_after, in_a_conftest, by_a_conftest])
@pytest.mark.parametrize("short", ["true", "false"])
def test_whoever_has_an_option_of_our_short_name_keeps_it(
    project: FakeProject, declare: Callable[[FakeProject], None], short: str
) -> None:
    declare(project)
    project.pytester.makeini(f"[pytest]\nhil_short_options = {short}")
    result = project("-rs", *THEIRS)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*needs a board: run `pytest --hil-board=emulated`"])
    result.stdout.no_fnmatch_line("hil:*")
    result = project("-s", "--hil-board=emulated", *THEIRS)
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "hil: --board belongs to another plugin; use --hil-board",
            *(["hil: --target belongs to another plugin; use --hil-target"] if short == "true" else []),
            "*TESTED*",
            "*THEIRS {'their_board': 'uno', 'their_target': True, 'their_model': 'x', *",
        ]
    )


@pytest.mark.parametrize("arguments", [["--board=emulated"], ["--board", "emulated"], ["--hil-board=emulated"]])
def test_the_board_has_a_short_name_and_the_others_have_none_by_themselves(
    project: FakeProject, arguments: list[str]
) -> None:
    project(*arguments).assert_outcomes(passed=3)
    result = project(*arguments, "--engine=aot")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unrecognized arguments: --engine=aot"])


def test_a_project_that_asks_for_short_names_has_them_and_both_names_add_up(project: FakeProject) -> None:
    project.pytester.makeini("[pytest]\nhil_short_options = true")
    project.pytester.makeconftest(
        """
        def pytest_report_header(config):
            from tflm_hil.pytest_plugin.fixtures import SESSION
            options = config.stash[SESSION].options
            return f"{options.targets} {options.models} {options.engine} {options.emulator}"
        """
    )
    result = project(
        *("--board=emulated", "--target=a", "--hil-target=b", "--model=m", "--engine=aot", "--emulator=qemu")
    )
    result.stdout.fnmatch_lines(["('a', 'b') ('m',) aot qemu"])


@pytest.mark.parametrize(
    ("arguments", "environment", "folder"),
    [
        ([], {}, None),
        (["--hil-record-traffic"], {}, "reports/traffic"),
        (["--hil-record-traffic=there"], {}, "there"),
        ([], {"HIL_RECORD_TRAFFIC": "here"}, "here"),
        (["-o", "hil_record_traffic=here"], {}, "here"),
    ],
)
def test_traffic_is_recorded_in_a_folder_if_that_is_asked_for(
    project: FakeProject, arguments: list[str], environment: dict[str, str], folder: str | None
) -> None:
    project.pytester.makeconftest(
        """
        def pytest_report_header(config):
            from tflm_hil.pytest_plugin.fixtures import SESSION
            return f"traffic: {config.stash[SESSION].options.traffic_dir}"
        """
    )
    result = project("--board=emulated", *arguments, apart=False, **environment)
    result.stdout.fnmatch_lines([f"traffic: {project.pytester.path / folder if folder else None}"])


def test_a_plugin_that_a_conftest_loads_has_its_options_too(project: FakeProject) -> None:
    project.pytester.makeconftest("pytest_plugins = ['tflm_hil.pytest_plugin', 'support.fake_session']")
    result = project.pytester.runpytest_inprocess("--board=emulated")
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["--hil-engine="], {}, "--hil-engine: empty; give it a value, or leave it out"),
        (["--board="], {}, "--hil-board: empty; give it a value, or leave it out"),
        (["--hil-target=a", "--hil-target="], {}, "--hil-target: empty; give it a value, or leave it out"),
        (["--hil-target=a,,b"], {}, "--hil-target: 'a,,b' has an empty name; give it a value, or leave it out"),
        ([], {"HIL_MODEL": ","}, "HIL_MODEL: ',' has an empty name; give it a value, or leave it out"),
        (["-o", "hil_model=,"], {}, "hil_model in the ini file: ',' has an empty name; *"),
        (["--hil-link=usb"], {}, "--hil-link: unknown value usb; choose auto, uart or rtt"),
        (["--hil-flash=on"], {}, "--hil-flash: unknown value on; choose auto, always or never"),
        ([], {"HIL_FLASH": "no"}, "HIL_FLASH: unknown value no; choose auto, always or never"),
        (["-o", "hil_flash=no"], {}, "hil_flash in the ini file: unknown value no; choose auto, always or never"),
        (["-o", "hil_short_options=x"], {}, "hil_short_options in the ini file: *; write true or false"),
        (
            ["--hil-record-traffic", "test_suite.py"],
            {},
            "--hil-record-traffic: pytest takes test_suite.py for its folder; *=DIR, or put the option last",
        ),
    ],
)
def test_a_wrong_value_is_a_usage_error_of_one_line_that_says_where_it_comes_from(
    project: FakeProject, arguments: list[str], environment: dict[str, str], message: str
) -> None:
    result = project(*arguments, apart=False, **environment)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len(result.stderr.str().strip().splitlines()) == 1


def test_an_empty_variable_is_no_value(project: FakeProject) -> None:
    project("--board=emulated", HIL_ENGINE="", HIL_TARGET="").assert_outcomes(passed=3)
    project("-rs", HIL_BOARD="").assert_outcomes(passed=1, skipped=1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'schema = "hil-project/2"',
            "*/hil.toml: *'hil-project/2'*this version of tflm-hil reads hil-project/1; upgrade it*",
        ),
        ('schema = "hil-project/1"\nmodles = "m"', "*/hil.toml: *modles*"),
    ],
)
@pytest.mark.parametrize("board", [["--board=emulated"], ["--board", "emulated"]])
def test_a_wrong_configuration_is_told_by_its_file(
    project: FakeProject, board: list[str], text: str, message: str
) -> None:
    (project.pytester.path / "hil.toml").write_text(text)
    result = project(*board)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len(result.stderr.str().strip().splitlines()) == 1


def test_a_board_that_pytest_takes_for_the_project_is_told_with_the_remedy(project: FakeProject) -> None:
    result = project("--board", "/dev/null")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: pytest takes /dev for the project, because of the space before /dev/null; write --board=/dev/null"]
    )
