"""Options, markers and projects as the users of the plugin see them: real pytest runs."""

from __future__ import annotations

import shutil
from fnmatch import fnmatch
from pathlib import Path
from textwrap import dedent

import pytest
from support.needs import needs_emulator
from support.plugin_helpers import ONE_WINDOW, ROOT, Hil
from tflm_hil.engines.tflm.library import find


@pytest.fixture
def hil(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Hil:
    return Hil(pytester, monkeypatch)


def test_without_a_board_tests_of_firmware_are_skipped_with_the_remedy(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW, test_host="def test_host(): pass")
    result = hil("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*needs a board: run `pytest --board=emulated`*"])


def test_the_plugin_itself_causes_no_warning(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_host(): pass")
    result = pytester.runpytest_subprocess(f"--rootdir={ROOT}", "-p", "no:cacheprovider")  # here it is imported already
    result.assert_outcomes(passed=1, warnings=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board=emulatd"], "*emulatd*"),
        (["--board=/dev/ttyNOPE"], "*/dev/ttyNOPE*"),
        (["--board=emulated", "--hil-emulator=bochs"], "*bochs*qemu*"),
        (["--board=emulated", "--hil-target=z80"], "*z80*stm32f4*"),
        (["--board=emulated", "--hil-engine=onnx"], "unknown engine onnx; choose auto, aot or tflm"),
        (["--board=emulated", "--hil-model=nope"], "unknown model nope; models/ has five_gestures*"),
        (
            ["--board=loop://", "--hil-coverage"],
            "coverage: nothing sees what loop:// *; use the board emulated in QEMU",
        ),
        (["--board="], "--hil-board: empty; give it a value, or leave it out"),
    ],
)
def test_what_does_not_exist_is_a_usage_error_of_one_line(
    pytester: pytest.Pytester, hil: Hil, arguments: list[str], message: str
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    result = hil(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert len(result.stderr.str().strip().splitlines()) == 1


def test_a_missing_toolchain_is_a_usage_error_with_the_remedy(
    pytester: pytest.Pytester, hil: Hil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    pytester.makepyfile(ONE_WINDOW)
    result = hil("--board=emulated")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*apt-get install*"])


def test_a_report_folder_that_cannot_be_written_stops_the_run_before_it_begins(
    pytester: pytest.Pytester, hil: Hil
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    (pytester.path / "file").write_text("")
    result = hil("--board=emulated", f"--hil-report={pytester.path / 'file'}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*/file: is a file, not a folder; choose a folder"])


@pytest.fixture
def offline(hil: Hil, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - it has forgotten HIL_TFLM_LIB
    """A proxy that answers nothing."""
    if find(ROOT / ".hil"):
        pytest.skip("TensorFlow Lite Micro is installed")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


NO_REGISTRY = "the PlatformIO registry does not answer; go online once, or set HIL_TFLM_LIB to a local copy*"


@needs_emulator
@pytest.mark.usefixtures("offline")
def test_an_engine_that_cannot_be_had_is_listed_with_the_remedy(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW)
    result = hil("--board=emulated", "--hil-engine=auto", "--collect-only")
    result.stdout.fnmatch_lines(["hil: board *engines aot, models *", f"hil: without engine tflm: {NO_REGISTRY}"])


@needs_emulator
@pytest.mark.usefixtures("offline")
def test_an_engine_that_is_asked_for_by_name_and_cannot_be_had_is_a_usage_error(
    pytester: pytest.Pytester, hil: Hil
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    result = hil("--board=emulated", "--hil-engine=tflm")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: engine tflm: {NO_REGISTRY}"])


@needs_emulator
def test_a_local_copy_that_is_none_is_a_usage_error_even_if_no_engine_was_named(
    pytester: pytest.Pytester, hil: Hil, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    monkeypatch.setenv("HIL_TFLM_LIB", str(pytester.path))
    result = hil("--board=emulated", "--hil-engine=auto")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: HIL_TFLM_LIB={pytester.path}: this directory has no library.json; *"])


def test_the_command_line_wins_over_the_environment_and_that_over_the_ini_file(
    pytester: pytest.Pytester, hil: Hil, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    monkeypatch.delenv("HIL_ENGINE")
    hil_ini = ["-o", "hil_board=emulated", "-o", "hil_engine=from-ini"]
    hil(*hil_ini).stderr.fnmatch_lines(["*unknown engine from-ini;*"])
    monkeypatch.setenv("HIL_ENGINE", "from-environment")
    hil(*hil_ini).stderr.fnmatch_lines(["*unknown engine from-environment;*"])
    hil(*hil_ini, "--hil-engine=from-command").stderr.fnmatch_lines(["*unknown engine from-command;*"])


@needs_emulator
def test_several_targets_are_several_tests_each_with_its_own_id(
    pytester: pytest.Pytester, hil: Hil, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.hil_model(variants=['int8'])\ndef test_x(firmware): pass")

    def targets(*arguments: str) -> list[str]:
        result = hil("--board=emulated", "--hil-model=gesture", "--collect-only", "-q", *arguments)
        return [line.rpartition("[gesture-int8-aot-")[2].rstrip("]") for line in result.outlines if "[" in line]

    assert targets() == ["stm32f4"]
    monkeypatch.setenv("HIL_TARGET", "stm32f2, nrf51")
    assert targets() == ["stm32f2", "nrf51"]
    assert targets("--hil-target=mps2_an505", "--hil-target=stm32f4") == ["mps2_an505", "stm32f4"]
    assert len(targets("--hil-target=all")) == 10


@needs_emulator
@pytest.mark.parametrize("marker", ['"gesture", variant="int8"', 'variants="int8"', '"gestrue"'])
def test_a_wrong_marker_is_refused(pytester: pytest.Pytester, hil: Hil, marker: str) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.hil_model({marker})\ndef test_x(device): pass")
    result = hil("--board=emulated", "--collect-only")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*hil_model*"])
    assert "Traceback" not in result.stdout.str()


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """A project of its own whose models and recordings a test may spoil."""
    root = pytester.path / "project"
    root.mkdir()
    (root / "hil.toml").write_text('schema = "hil-project/1"\n')
    shutil.copytree(ROOT / "models" / "gesture", root / "models" / "gesture")
    shutil.copytree(ROOT / "recordings" / "gesture", root / "recordings" / "gesture")
    (root / "test_one_window.py").write_text(dedent(ONE_WINDOW))
    (root / "pytest.ini").touch()
    return root


def spoil(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


@needs_emulator
@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        ("recordings/gesture/punch.csv", "\n0", "\nhello", "*punch.csv:*hello*"),
        ("recordings/gesture/recordings.toml", '"punch"', '"pnuch"', "*'pnuch', but gesture takes one of punch, flex*"),
        ("recordings/gesture/recordings.toml", "= 50.0", "= 100.0", "*recorded at 100 Hz, but gesture expects 50 Hz*"),
        ("models/gesture/model.toml", "stm32f4.aot", "stm32f4.aott", "*budgets.stm32f4.aott] names engine 'aott'; *"),
        ("models/gesture/model.toml", "stm32f4.aot", "stm32f5.all", "*budgets.stm32f5.all] names target 'stm32f5'; *"),
        ("models/gesture/model.toml", "window =", "windwo =", "*model.toml*windwo*"),
    ],
)
def test_a_spoiled_project_is_a_usage_error_of_one_line(
    hil: Hil, project: Path, file: str, before: str, after: str, message: str
) -> None:
    spoil(project / file, before, after)
    workers = ["-n", "2"] if file.endswith(".csv") else []
    result = hil(f"--rootdir={project}", project, "--board=emulated", *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len(result.stderr.str().strip().splitlines()) == 1


@needs_emulator
def test_a_board_needs_none_of_the_plugins_of_pytest_that_may_be_blocked(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW)
    blocked = ("tmpdir", "junitxml", "capture", "logging", "unraisableexception")
    hil("--board=emulated", "-k", "int8", *(f"-pno:{name}" for name in blocked)).assert_outcomes(passed=1, deselected=1)


@needs_emulator
def test_a_project_without_models_is_no_green_run(hil: Hil, project: Path) -> None:
    shutil.rmtree(project / "models")
    result = hil(f"--rootdir={project}", project, "--board=emulated")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: */models: no folder in it has a model.toml*"])


@needs_emulator
def test_each_output_has_a_label(hil: Hil, project: Path) -> None:
    spoil(project / "models/gesture/model.toml", '"idle"]', '"idle", "wave"]')
    result = hil(f"--rootdir={project}", project, "--board=emulated")
    result.stdout.fnmatch_lines(["*4 labels, but the network has 3 outputs*"])
    assert "Traceback" not in result.stdout.str()


@needs_emulator
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "workers"])
def test_what_looks_like_a_wrong_unit_is_told_before_the_tests_and_below_the_figures(
    hil: Hil, project: Path, workers: list[str]
) -> None:
    spoil(project / "models/gesture/model.toml", "= 8192.0", "= 81920.0")
    result = hil(f"--rootdir={project}", project, "--board=emulated", "-k", "int8 and footprint", *workers)
    line = "hil: warning: */recordings.toml: * values of aX are beyond what the sensor can measure *their unit right?"
    result.stdout.fnmatch_lines([line, "*= hardware in the loop =*", line])
    assert not result.stderr.str()


@needs_emulator
def test_the_project_names_the_target_and_the_engine_if_nobody_else_does(
    hil: Hil, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HIL_ENGINE")
    spoil(project / "hil.toml", "\n", '\ndefault_target = "stm32f2"\ndefault_engine = "aot"\n')
    result = hil(f"--rootdir={project}", project, "--board=emulated", "--collect-only", "-q")
    result.stdout.fnmatch_lines(["*-aot-stm32f2*"])
    result.stdout.no_fnmatch_line("*without engine*")
    monkeypatch.setenv("HIL_TARGET", "nrf51")
    result = hil(f"--rootdir={project}", project, "--board=emulated", "--collect-only", "-q")
    result.stdout.fnmatch_lines(["*-aot-nrf51*"])


@needs_emulator
@pytest.mark.parametrize(
    ("spoilt", "said"),
    [("tool", "*hil.toml and *pyproject.toml both configure*"), ("none", "*: no hil.toml, * or platformio.ini here*")],
)
def test_a_project_with_two_configurations_or_none_is_a_usage_error(
    hil: Hil, project: Path, spoilt: str, said: str
) -> None:
    if spoilt == "tool":
        (project / "pyproject.toml").write_text('[tool.tflm-hil]\nschema = "hil-project/1"\n')
    else:
        (project / "hil.toml").unlink()
    result = hil(f"--rootdir={project}", project, "--board=emulated")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = result.stderr.str().strip().splitlines()
    assert fnmatch(line, f"ERROR: {said}")
