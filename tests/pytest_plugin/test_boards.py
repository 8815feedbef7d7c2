"""Boards that behave and boards that do not, as the users of the plugin see them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from support import fake_board
from support.fake_device import Misbehaviour
from support.needs import needs_emulator
from support.plugin_helpers import ONE_WINDOW, PREDICTIONS, ROOT, SUITE, Hil, read_results
from support.targets import STM32F4
from tflm_hil.device.traffic import read_head
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models
from tflm_hil.results.exit_status import ExitStatus


@pytest.fixture
def hil(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Hil:
    return Hil(pytester, monkeypatch)


@needs_emulator
def test_what_happens_to_a_device_or_its_emulator_is_one_line_of_one_test(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(
        """
        import os, signal
        from tflm_hil.device.messages import FaultKind

        def test_crash(device):
            device.client.fault(FaultKind.UNDEFINED)
            device.status()

        def test_dead_in_the_middle(device, board):
            os.kill(board.machine.process.pid, signal.SIGKILL)
            device.status()

        def test_stopped_at_the_end(device, board):
            device.status()
            os.kill(board.machine.process.pid, signal.SIGSTOP)

        def test_dead_at_the_end(device, board):
            device.status()
            os.kill(board.machine.process.pid, signal.SIGKILL)

        def test_afterwards(device):
            device.status()
        """
    )
    result = hil("--board=emulated", "-k", "int8")
    result.assert_outcomes(failed=2, passed=3)
    result.stdout.fnmatch_lines(["*crashed*", "*CRASH*"])
    result.stdout.fnmatch_lines(["emulated: the RTT link broke: *(QEMU was killed by signal 9 (SIGKILL)*"])
    assert "Traceback" not in result.stdout.str()
    assert "QEMU runs" not in result.stdout.str()


@pytest.fixture(scope="module")  # once, and before pytester: it forgets modules that are imported from then on
def build_id() -> bytes:
    return FirmwareProject(ROOT / ".hil").build(load_models(ROOT)["gesture"], "int8", AotEngine(), STM32F4).build_id


@pytest.fixture
def desk(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the board at a port the name `desk`."""

    def name(port: str) -> None:
        file = pytester.path / "tflm-hil" / "hil-boards.toml"
        file.parent.mkdir()
        file.write_text(f'schema = "hil-boards/1"\n[boards.desk]\nport = "{port}"\ntarget = "stm32f4"\n')
        monkeypatch.setenv("XDG_CONFIG_HOME", str(pytester.path))

    return name


@needs_emulator  # for the compiler: the image's build id is what the harness asks a board for
def test_the_suite_passes_on_a_board_behind_a_serial_port(
    pytester: pytest.Pytester, hil: Hil, build_id: bytes, desk: Callable[[str], None]
) -> None:
    with fake_board.running("gesture", "int8", build_id) as port:
        desk(port)
        result = hil(SUITE, "--board=desk", "--hil-flash=never", "-k", "int8")
    result.assert_outcomes(passed=6, skipped=2)  # budgets and repeatability count instructions
    result.stdout.fnmatch_lines([f"hil: board desk ({port}, stm32f4), link uart, engines aot, *"])
    (run,) = read_results(pytester).runs
    assert (run.board, run.emulator, run.verdict) == ("desk", None, "pass")
    assert run.parity is not None
    assert run.parity.bit_exact
    assert run.parity.windows >= 1000
    assert run.attribution is not None
    assert run.attribution.steps[-1].windows == run.parity.windows
    assert run.latency is not None
    assert run.latency.unit == "cycles"
    assert run.link is not None
    assert run.link.interrupts == 2 * run.latency.count


@needs_emulator
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board=desc"], "unknown board desc; choose emulated, auto, desk, a port, *"),
        (
            ["--board=desk", "--hil-target=nrf51"],
            "board desk is a stm32f4 (*/hil-boards.toml: [[]boards.desk]), not nrf51: *",
        ),
    ],
)
def test_a_name_that_does_not_fit_is_a_usage_error_of_one_line(
    pytester: pytest.Pytester, hil: Hil, desk: Callable[[str], None], arguments: list[str], message: str
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    desk("/dev/null")
    result = hil(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len(result.stderr.str().strip().splitlines()) == 1


@needs_emulator
@pytest.mark.parametrize(
    ("misbehaviour", "message"),
    [
        # What nobody answers is asked for again for a quarter of a minute.
        pytest.param(Misbehaviour.SILENT, "*is silent: no answer to HELLO*", marks=pytest.mark.nightly),
        pytest.param(Misbehaviour.GARBAGE, "*sends garbage*", marks=pytest.mark.nightly),
        pytest.param(Misbehaviour.PROTOCOL, "*speaks protocol version*", marks=pytest.mark.nightly),
        pytest.param(Misbehaviour.LIE, "*windows differ from the reference*", marks=pytest.mark.nightly),
    ],
)
def test_what_a_bad_board_does_is_said(
    pytester: pytest.Pytester, hil: Hil, build_id: bytes, misbehaviour: Misbehaviour, message: str
) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    with fake_board.running("gesture", "int8", build_id, misbehaviour) as port:
        result = hil(f"--board={port}", "--hil-flash=never", "-k", "int8 and punch")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([message])
    assert "Traceback" not in result.stdout.str()


@needs_emulator
def test_what_happens_to_a_board_costs_the_recordings_that_it_happens_in_and_no_other(
    pytester: pytest.Pytester, hil: Hil, build_id: bytes
) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    events = ["reset@5000", "crash@20000", "leave@45000", "noise=0.0003@60000"]
    with fake_board.running("gesture", "int8", build_id, events=events, link=pytester.path / "ttyACM0") as port:
        result = hil(f"--board={port}", "--hil-flash=never", "-rA", "-k", "int8 and (punch or flex or continuous_1)")
    result.assert_outcomes(failed=2, passed=1)
    assert losses(result) == [("punch", "rebooted"), ("punch", "crashed"), ("flex", "the serial line broke")]
    result.stdout.fnmatch_lines(["PASSED *continuous_1.csv*"])
    (run,) = read_results(pytester).runs
    assert run.verdict == "fail"
    assert run.parity is not None
    assert run.parity.bit_exact
    assert run.parity.windows == 515 - 3


@needs_emulator
def test_what_a_board_did_is_recorded_and_played_back(pytester: pytest.Pytester, hil: Hil, build_id: bytes) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    chosen, traffic = ["-k", "int8 and punch"], pytester.path / "traffic"
    with fake_board.running("gesture", "int8", build_id, events=["crash@10000"]) as port:
        result = hil(f"--board={port}", "--hil-flash=never", *chosen, f"--hil-record-traffic={traffic}")
    assert losses(result) == [("punch", "crashed")]
    (file,), (recorded,) = traffic.iterdir(), read_results(pytester).runs
    result = hil(f"--board=replay:{file}", *chosen)
    result.assert_outcomes(failed=1)
    assert losses(result) == [("punch", "crashed")]
    (played_back,) = read_results(pytester).runs
    assert played_back.parity == recorded.parity
    result = hil(f"--board=replay:{file}", *chosen, "-n", "2")
    result.stderr.fnmatch_lines(["ERROR: -n 2: replay:*: 1 board, *: leave -n out, *"])


@needs_emulator
def test_what_the_emulated_board_did_is_played_back(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    chosen, traffic = ["-k", "int8 and punch"], pytester.path / "traffic"
    hil("--board=emulated", *chosen, f"--hil-record-traffic={traffic}").assert_outcomes(passed=1)
    (file,), (recorded,) = traffic.iterdir(), read_results(pytester).runs
    assert read_head(file).link == "rtt"
    hil(f"--board=replay:{file}", *chosen).assert_outcomes(passed=1)
    (played_back,) = read_results(pytester).runs
    assert played_back.parity == recorded.parity


@needs_emulator
@pytest.mark.nightly  # A board that is mute or away is waited for; the cheap ones are above, and in tests/lab.
@pytest.mark.parametrize(
    ("event", "outcomes", "lost", "said"),
    [
        ("stall=3@20000", {"passed": 3}, [], []),
        ("noise=0.001@20000", {"passed": 3}, [], []),
        ("leave=4@20000", {"passed": 2, "failed": 1}, [("punch", "the serial line broke")], []),
        ("hang@20000", {"failed": 1, "errors": 2}, [("punch", "is silent")], ["*reset it by hand*"]),
        ("swap@20000", {"failed": 1, "errors": 2}, [("punch", "rebooted")], ["*not tried: the board runs build *"]),
        ("unplug@20000", {"failed": 1, "errors": 2}, [("punch", "the serial line broke")], ["*not tried: *ttyACM0: *"]),
        (
            "reset@3000/300",
            {"failed": 1, "errors": 2},
            [("punch", "rebooted")] * 3,
            ["*not tried: 3 in a row were lost*"],
        ),
    ],
)
def test_everything_that_can_happen_to_a_board_is_booked_and_told(
    pytester: pytest.Pytester,
    hil: Hil,
    build_id: bytes,
    event: str,
    outcomes: dict[str, int],
    lost: list[tuple[str, str]],
    said: list[str],
) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    with fake_board.running("gesture", "int8", build_id, events=[event], link=pytester.path / "ttyACM0") as port:
        result = hil(f"--board={port}", "--hil-flash=never", "-rA", "-k", "int8 and (punch or flex or continuous_1)")
    result.assert_outcomes(**outcomes)
    assert losses(result) == lost
    if said:
        result.stdout.fnmatch_lines(said)
    (run,) = read_results(pytester).runs
    assert run.verdict == ("fail" if lost else "incomplete")  # the other files were left out
    assert run.parity is not None
    assert run.parity.bit_exact
    assert "Traceback" not in str(result.stdout)


def losses(result: pytest.RunResult) -> list[tuple[str, str]]:
    """Return the file of each recording that was lost, and why."""
    reasons = "rebooted|crashed|is silent|the serial line broke"
    return re.findall(rf"^lost (punch|flex)/\d+ at window \d+: \S+ ({reasons})", str(result.stdout), re.MULTILINE)


@needs_emulator
def test_a_board_that_runs_another_build_is_flashed_and_a_tool_that_did_nothing_is_found_out(
    pytester: pytest.Pytester, hil: Hil, build_id: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(ONE_WINDOW)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(pytester.path))
    with fake_board.running("gesture", "int8", build_id[::-1]) as port:
        table = f'[boards.liar]\nport = "{port}"\nflash = {{ method = "custom", command = "echo {{port}} done" }}'
        pytester.mkdir("tflm-hil").joinpath("hil-boards.toml").write_text(f'schema = "hil-boards/1"\n{table}')
        result = hil("--board=liar", "-k", "int8")
    assert result.ret == ExitStatus.INFRASTRUCTURE
    runs, built = build_id[::-1][:6].hex(), build_id[:6].hex()
    said = f"echo ended with 0 and said: {port} done; see {pytester.path}/reports/board/*/flash.log"
    result.stdout.fnmatch_lines([f"*liar still runs build {runs} after it was flashed with build {built}: {said}*"])


@pytest.mark.nightly  # two sessions more
@needs_emulator
def test_the_log_of_a_board_that_cannot_be_reached_is_not_an_earlier_one(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(ONE_WINDOW)
    hil("--board=emulated", "-k", "int8").assert_outcomes(passed=1)
    result = hil("--board=/dev/null", "--hil-flash=never", "-k", "int8")
    assert result.ret == ExitStatus.INFRASTRUCTURE
    assert "HELLO" not in result.stdout.str()
