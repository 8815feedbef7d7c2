"""What a run of pytest leaves behind: table, report, results, and the verdict that its exit status gives."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from support.needs import needs_emulator
from support.plugin_helpers import ONE_WINDOW, PREDICTIONS, SUITE, Hil, read_results
from tflm_hil.results.exit_status import ExitStatus


@pytest.fixture
def hil(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Hil:
    return Hil(pytester, monkeypatch)


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
    result = hil("--board=emulated", "-n", "2", "--hil-coverage")
    result.assert_outcomes(passed=4)
    runs = {run.name: run for run in read_results(pytester).runs}
    assert set(runs) == {"gesture-int8-aot-stm32f4", "gesture-float32-aot-stm32f4"}
    for run in runs.values():
        assert run.parity is not None
        assert run.parity.windows == 2
    # A float32 kernel and an int8 kernel, which no single image has.
    covered = (pytester.path / "reports" / "coverage" / "coverage.info").read_text()
    for kernel in ("aot_fully_connected_f32.c", "aot_fully_connected_s8.c"):
        assert re.search(rf"SF:\S*{re.escape(kernel)}\n(DA:\d+,\d\n)*?DA:\d+,1\n", covered)


@needs_emulator
def test_coverage_needs_no_workers(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW)
    hil("--board=emulated", "--hil-coverage", "-k", "int8").assert_outcomes(passed=1)
    covered = (pytester.path / "reports" / "coverage" / "coverage.info").read_text()
    assert re.search(r"SF:\S*aot_fully_connected_s8.c\n(DA:\d+,\d\n)*?DA:\d+,1\n", covered)


@needs_emulator
def test_a_difference_names_the_window_both_outputs_and_how_to_run_it(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    pytester.makeconftest(
        """
        import pytest

        class Liar:
            def __init__(self, honest):
                self.honest, self.name = honest, honest.name
                self.graph, self.input_quantization = honest.graph, honest.input_quantization

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
            "*again: hil run gesture punch/* --window 0 --variant int8 --engine aot --target stm32f4*",
            "*- UART log -*",
        ]
    )
    assert read_results(pytester).runs[0].verdict == "fail"


@pytest.mark.nightly  # another session
@needs_emulator
def test_a_report_that_cannot_be_written_at_the_end_is_one_line_and_fails_the_run(
    pytester: pytest.Pytester, hil: Hil
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    (pytester.path / "reports" / "junit.xml").mkdir(parents=True)
    result = hil("--board=emulated", "-k", "int8")
    result.assert_outcomes(passed=1)
    assert result.ret == ExitStatus.INFRASTRUCTURE
    result.stdout.fnmatch_lines(["ERROR: cannot write *junit.xml*"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.nightly  # another session
@needs_emulator
def test_faults_on_the_line_are_counted_in_the_results(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(
        """
        import pytest
        from tflm_hil.device.client import Client
        from tflm_hil.device.uart_log import UartLog
        from tflm_hil.lab.dut import DeviceUnderTest
        from tflm_hil.lab.losses import Streak
        from support.lossy_connection import LossyConnection, at_random

        def test_bad_line(board, firmware, recordings, reference, record, tmp_path, request):
            board.flash(firmware.image)
            client = Client(LossyConnection(board.connect(), at_random(1, 0.1)), UartLog(tmp_path / "log"))
            device = DeviceUnderTest(firmware, board, lambda: (client, client.hello()), Streak())
            measurement = device.stream([r for r in recordings if r.name == "continuous_1"])
            record.measurement(measurement)
            record.parity(measurement.parity(reference))
        """
    )
    pytester.makeconftest(f"import sys; sys.path.append({str(SUITE.parent)!r})")
    result = hil("--board=emulated", "-k", "int8")
    result.assert_outcomes(passed=1)
    (run,) = read_results(pytester).runs
    assert run.parity is not None
    assert (run.parity.windows, run.parity.bit_exact) == (395, True)
    assert run.link is not None
    assert run.link.faults > 0
    assert run.link.retried > 0
