"""The plugin as its users see it: real pytest runs, on the emulated board where one is needed."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import fake_board
import msgspec
import pytest
from fake_device import Misbehaviour

from harness.firmware.project import FirmwareProject
from harness.firmware.tflm_library import find
from harness.models.manifest import load_models
from harness.report.results import Results

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "tests"

Hil = Callable[..., pytest.RunResult]

needs_emulator = pytest.mark.skipif(
    not (shutil.which("qemu-system-arm") and shutil.which("arm-none-eabi-gcc")),
    reason="needs qemu-system-arm and arm-none-eabi-gcc: run `make test`",
)

ONE_WINDOW = """
    def test_one_window(device, recordings, reference, record):
        measurement = device.stream(recordings[:1])
        record.measurement(measurement)
        record.parity(measurement.parity(reference))
"""


@pytest.fixture
def hil(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Hil:
    """Runs pytest on files of the test, with the project's simplest model and its cache of built firmware."""
    monkeypatch.setenv("HIL_MODEL", "gesture")
    monkeypatch.setenv("HIL_ENGINE", "aot")
    for variable in ("HIL_BOARD", "HIL_TARGET", "HIL_EMULATOR", "HIL_REPORT", "HIL_TFLM_LIB"):
        monkeypatch.delenv(variable, raising=False)

    def run(*arguments: str | Path) -> pytest.RunResult:
        report = f"--hil-report={pytester.path / 'reports'}"
        return pytester.runpytest_subprocess(
            f"--rootdir={ROOT}", "-p", "no:cacheprovider", report, *arguments, timeout=120
        )

    return run


def read_results(pytester: pytest.Pytester) -> Results:
    return msgspec.json.decode((pytester.path / "reports" / "results.json").read_bytes(), type=Results)


def test_without_a_board_tests_of_firmware_are_skipped_with_the_remedy(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW, test_host="def test_host(): pass")
    result = hil("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*needs a board: run `pytest --board=emulated`*"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board=emulatd"], "*emulatd*"),
        (["--board=/dev/ttyNOPE"], "*/dev/ttyNOPE*"),
        (["--board=emulated", "--emulator=bochs"], "*bochs*qemu*"),
        (["--board=emulated", "--target=z80"], "*z80*stm32f4*"),
        (["--board=emulated", "--engine=onnx"], "*--engine=onnx: no such engine; there is aot, tflm*"),
        (["--board=emulated", "--model=nope"], "*--model=nope: no such model; models/ has gesture*"),
        (["--board="], "*--board: empty; give it a value, or leave it out*"),
        (["--hil-update-baseline"], "*--hil-update-baseline: no baseline folder given; add --hil-baseline=DIR*"),
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
    result.stderr.fnmatch_lines(["*cannot write*free or name another folder*"])


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
    result = hil("--board=emulated", "--engine=auto", "--collect-only")
    result.stdout.fnmatch_lines(["hil: board *engines aot, models *", f"hil: without engine tflm: {NO_REGISTRY}"])


@needs_emulator
@pytest.mark.usefixtures("offline")
def test_an_engine_that_is_asked_for_by_name_and_cannot_be_had_is_a_usage_error(
    pytester: pytest.Pytester, hil: Hil
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    result = hil("--board=emulated", "--engine=tflm")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: --engine=tflm: {NO_REGISTRY}"])


@needs_emulator
def test_a_local_copy_that_is_none_is_a_usage_error_even_if_no_engine_was_named(
    pytester: pytest.Pytester, hil: Hil, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    monkeypatch.setenv("HIL_TFLM_LIB", str(pytester.path))
    result = hil("--board=emulated", "--engine=auto")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: HIL_TFLM_LIB={pytester.path}: has no library.json; *"])


def test_the_command_line_wins_over_the_environment_and_that_over_the_ini_file(
    pytester: pytest.Pytester, hil: Hil, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    monkeypatch.delenv("HIL_ENGINE")
    hil_ini = ["-o", "hil_board=emulated", "-o", "hil_engine=from-ini"]
    hil(*hil_ini).stderr.fnmatch_lines(["*--engine=from-ini*"])
    monkeypatch.setenv("HIL_ENGINE", "from-environment")
    hil(*hil_ini).stderr.fnmatch_lines(["*--engine=from-environment*"])
    hil(*hil_ini, "--engine=from-command").stderr.fnmatch_lines(["*--engine=from-command*"])


@needs_emulator
def test_several_targets_are_several_tests_each_with_its_own_id(
    pytester: pytest.Pytester, hil: Hil, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile("import pytest\n@pytest.mark.hil_model(variants=['int8'])\ndef test_x(firmware): pass")

    def targets(*arguments: str) -> list[str]:
        result = hil("--board=emulated", "--model=gesture", "--collect-only", "-q", *arguments)
        return [line.rpartition("[gesture-int8-aot-")[2].rstrip("]") for line in result.outlines if "[" in line]

    assert targets() == ["stm32f4"]
    monkeypatch.setenv("HIL_TARGET", "stm32f2, nrf51")
    assert targets() == ["stm32f2", "nrf51"]
    assert targets("--target=mps2_an505", "--target=stm32f4") == ["mps2_an505", "stm32f4"]
    assert len(targets("--target=all")) == 6


@needs_emulator
@pytest.mark.parametrize("marker", ['"gesture", variant="int8"', 'variants="int8"', '"gestrue"'])
def test_a_wrong_marker_is_refused(pytester: pytest.Pytester, hil: Hil, marker: str) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.hil_model({marker})\ndef test_x(device): pass")
    result = hil("--board=emulated", "--collect-only")
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*hil_model*"])
    assert "Traceback" not in result.stdout.str()


@needs_emulator
def test_a_run_leaves_results_report_junit_and_a_table(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(
        "import pytest\npytestmark = pytest.mark.hil_model('gesture', variants=['int8'])"
        + ONE_WINDOW.replace("\n    ", "\n")
    )
    result = hil("--board=emulated")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["hil: board *engines aot, models gesture (*int8*)", "*gesture-int8-aot-stm32f4*pass", "report: *report.md*"]
    )
    (run,) = read_results(pytester).runs
    assert run.name == "gesture-int8-aot-stm32f4"
    assert run.parity is not None
    assert run.parity.bit_exact
    assert run.latency is not None
    assert run.latency.unit == "instructions"
    suite = ET.parse(pytester.path / "reports" / "junit.xml")
    properties = {node.get("name"): node.get("value") for node in suite.iter("property")}
    assert properties["hil.latency.max"] == str(run.latency.max)
    assert list((pytester.path / "reports" / "uart").glob("*.log"))


@needs_emulator
def test_workers_share_the_work_and_their_results_add_up(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW, test_again=ONE_WINDOW)
    result = hil("--board=emulated", "-n", "2")
    result.assert_outcomes(passed=4)
    runs = {run.name: run for run in read_results(pytester).runs}
    assert set(runs) == {"gesture-int8-aot-stm32f4", "gesture-float32-aot-stm32f4"}
    for run in runs.values():
        assert run.parity is not None
        assert run.parity.windows == 2


@needs_emulator
def test_a_difference_names_the_window_both_outputs_and_how_to_replay_it(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(test_predictions=(SUITE / "test_predictions.py").read_text())
    pytester.makeconftest(
        """
        import pytest

        class Liar:
            def __init__(self, honest):
                self.honest, self.oracle = honest, honest.oracle
                self.graph, self.input_quantisation = honest.graph, honest.input_quantisation

            def run(self, inputs):
                outputs = self.honest.run(inputs)
                outputs[0] = outputs[0][..., ::-1]
                return outputs

        @pytest.fixture(scope="session")
        def reference(reference):
            return Liar(reference)
        """
    )
    result = hil("--board=emulated", "-k", "int8 and punch")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*gesture-int8-aot-stm32f4: * of * windows differ from the reference*",
            "*window 0 of punch/*device * reference *",
            "*again: hil replay gesture punch/* --window 0 --variant int8 --engine aot --target stm32f4*",
            "*UART log, the last lines of *",
        ]
    )
    assert read_results(pytester).runs[0].verdict == "fail"


@needs_emulator
def test_a_crash_is_one_line_with_the_fault_and_the_log(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(
        """
        from harness.device.messages import FaultKind

        def test_crash(device):
            device.client.fault(FaultKind.UNDEFINED)
            device.status()

        def test_afterwards(device):
            device.status()
        """
    )
    result = hil("--board=emulated", "-k", "int8")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*crashed*", "*CRASH*"])
    assert "Traceback" not in result.stdout.str()


@pytest.fixture
def build_id() -> bytes:
    return FirmwareProject(ROOT).build(load_models(ROOT)["gesture"], "int8", "aot", "stm32f4").build_id


@needs_emulator  # for the compiler: the image's build id is what the harness asks a board for
def test_the_suite_passes_on_a_board_behind_a_serial_port(pytester: pytest.Pytester, hil: Hil, build_id: bytes) -> None:
    with fake_board.running("gesture", "int8", build_id) as port:
        result = hil(SUITE, "--ignore", SUITE / "unit", f"--board={port}", "--hil-no-flash", "-k", "int8")
    result.assert_outcomes(passed=6, skipped=6)
    (run,) = read_results(pytester).runs
    assert (run.board, run.emulator, run.verdict) == (port, None, "pass")
    assert run.parity is not None
    assert run.parity.bit_exact
    assert run.parity.windows >= 1000
    assert run.attribution is not None
    assert run.attribution.steps[-1].windows == run.parity.windows
    assert run.latency is not None
    assert run.latency.unit == "cycles"


@needs_emulator
@pytest.mark.parametrize(
    ("misbehaviour", "message"),
    [
        (Misbehaviour.SILENT, "*is silent: no answer to HELLO*"),
        (Misbehaviour.GARBAGE, "*speaks garbage*"),
        (Misbehaviour.PROTOCOL, "*speaks protocol version*"),
        (Misbehaviour.REBOOT, "*rebooted*"),
        (Misbehaviour.CRASH, "*crashed*"),
        (Misbehaviour.LIE, "*windows differ from the reference*"),
    ],
)
def test_what_a_bad_board_does_is_said(
    pytester: pytest.Pytester, hil: Hil, build_id: bytes, misbehaviour: Misbehaviour, message: str
) -> None:
    pytester.makepyfile(test_predictions=(SUITE / "test_predictions.py").read_text())
    with fake_board.running("gesture", "int8", build_id, misbehaviour) as port:
        result = hil(f"--board={port}", "--hil-no-flash", "-k", "int8 and (punch or flex)")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([message])
    assert "Traceback" not in result.stdout.str()


@needs_emulator
def test_a_board_with_another_build_is_refused(pytester: pytest.Pytester, hil: Hil, build_id: bytes) -> None:
    pytester.makepyfile(ONE_WINDOW)
    with fake_board.running("gesture", "int8", build_id[::-1]) as port:
        result = hil(f"--board={port}", "--hil-no-flash", "-k", "int8")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*the board runs build {build_id[::-1][:6].hex()}*{build_id[:6].hex()}*"])


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    """A project of its own whose models and recordings a test may spoil; sources are the repository's."""
    root = pytester.path / "project"
    root.mkdir()
    for name in ("firmware", "platformio.ini"):
        (root / name).symlink_to(ROOT / name)
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
        ("recordings/gesture/recordings.toml", '"punch"', '"pnuch"', "*'pnuch', but gesture knows punch, flex*"),
        ("recordings/gesture/recordings.toml", "= 50.0", "= 100.0", "*recorded at 100 Hz, but gesture expects 50 Hz*"),
        ("models/gesture/model.toml", "stm32f4_aot", "stm32f4_aott", "*stm32f4_aott* is no environment*"),
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
def test_a_project_without_models_is_no_green_run(hil: Hil, project: Path) -> None:
    shutil.rmtree(project / "models")
    result = hil(f"--rootdir={project}", project, "--board=emulated")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: models/ has no model.toml*"])


@needs_emulator
def test_each_output_has_a_label(hil: Hil, project: Path) -> None:
    spoil(project / "models/gesture/model.toml", '"flex"]', '"flex", "wave"]')
    result = hil(f"--rootdir={project}", project, "--board=emulated")
    result.stdout.fnmatch_lines(["*3 labels, but the network has 2 outputs*"])
    assert "Traceback" not in result.stdout.str()


@needs_emulator
def test_a_report_that_cannot_be_written_at_the_end_is_one_line_and_fails_the_run(
    pytester: pytest.Pytester, hil: Hil
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    (pytester.path / "reports" / "junit.xml").mkdir(parents=True)
    result = hil("--board=emulated", "-k", "int8")
    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ERROR: cannot write *junit.xml*"])
    assert "Traceback" not in result.stdout.str()


@needs_emulator
def test_the_log_of_a_board_that_cannot_be_reached_is_not_an_earlier_one(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW)
    hil("--board=emulated", "-k", "int8").assert_outcomes(passed=1)
    result = hil("--board=/dev/null", "--hil-no-flash", "-k", "int8")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "HELLO" not in result.stdout.str()


@needs_emulator
def test_a_regression_fails_the_run_and_the_baseline_comes_from_the_option(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(
        """
        def test_footprint(device, record):
            record.footprint(device.info.arena_bytes, device.status().stack_peak)
        """
    )
    base = f"--hil-baseline={pytester.path / 'base'}"
    hil("--board=emulated", "-k", "int8", base).stderr.fnmatch_lines(["ERROR: *make it with --hil-update-baseline"])
    assert hil("--board=emulated", "-k", "int8", base, "--hil-update-baseline").ret == pytest.ExitCode.OK
    assert hil("--board=emulated", "-k", "int8", base).ret == pytest.ExitCode.OK
    file = pytester.path / "base" / "baseline.json"
    results = msgspec.json.decode(file.read_bytes(), type=Results)
    assert results.runs[0].firmware is not None
    results.runs[0].firmware.flash_bytes -= 1000
    file.write_bytes(msgspec.json.encode(results))
    result = hil("--board=emulated", "-k", "int8", base)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["REGRESSED: gesture-int8-aot-stm32f4 flash_bytes: *"])


@needs_emulator
def test_faults_on_the_line_are_counted_in_the_results(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(
        """
        import pytest
        from harness.device.client import Client
        from harness.device.uart_log import UartLog
        from harness.dut import DeviceUnderTest
        from lossy_connection import LossyConnection, at_random

        def test_bad_line(board, firmware, recordings, reference, record, tmp_path, request):
            board.flash(firmware.image)
            client = Client(LossyConnection(board.connect(), at_random(1, 0.1)), UartLog(tmp_path / "log"))
            device = DeviceUnderTest(firmware, board, client, client.hello())
            measurement = device.stream([r for r in recordings if r.name == "continuous_1"])
            record.measurement(measurement)
            record.parity(measurement.parity(reference))
        """
    )
    pytester.makeconftest(f"import sys; sys.path.append({str(SUITE)!r})")
    result = hil("--board=emulated", "-k", "int8")
    result.assert_outcomes(passed=1)
    (run,) = read_results(pytester).runs
    assert run.parity is not None
    assert (run.parity.windows, run.parity.bit_exact) == (395, True)
    assert run.link is not None
    assert run.link.faults > 0
    assert run.link.retried > 0
