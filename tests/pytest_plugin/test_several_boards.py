"""Several boards of one target that share the work."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
import serial
from support import fake_board, pty_device
from support.fake_device import FakeDevice, Image, Misbehaviour
from support.needs import needs_emulator
from support.plugin_helpers import PREDICTIONS, ROOT, Hil, read_results
from support.targets import STM32F4
from tflm_hil.boards.serial import port
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models
from tflm_hil.results.exit_status import ExitStatus

PUNCHES = ("--hil-flash=never", "-k", "int8 and punch")


@pytest.fixture
def hil(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Hil:
    monkeypatch.setattr(port, "RETURN_S", 0.3)  # seconds that a board which has gone is waited for
    return Hil(pytester, monkeypatch)


@pytest.fixture(scope="module")  # once, and before pytester: it forgets modules that are imported from then on
def build_id() -> bytes:
    return FirmwareProject(ROOT / ".hil").build(load_models(ROOT)["gesture"], "int8", AotEngine(), STM32F4).build_id


@needs_emulator  # for the compiler: the image's build id is what the harness asks a board for
def test_results_are_those_of_one_board_whatever_becomes_of_the_others(
    pytester: pytest.Pytester, hil: Hil, build_id: bytes
) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    with ExitStack() as boards:
        good, dying = (
            boards.enter_context(fake_board.running("gesture", "int8", build_id, events=events, link=link))
            for events, link in (([], None), (["unplug@4000"], pytester.path / "ttyACM0"))
        )
        other = boards.enter_context(pty_device.serving(FakeDevice(Image(), bytes)))
        busy = boards.enter_context(pty_device.serving(FakeDevice(Image(), bytes)))
        boards.enter_context(serial.Serial(busy, exclusive=True))
        hil(f"--board={good}", *PUNCHES).assert_outcomes(passed=1)
        (alone,) = read_results(pytester).runs
        result = hil(f"--board={dying},{other}", f"--board={busy},{good}", *PUNCHES)
    result.assert_outcomes(passed=1)
    results = read_results(pytester)
    (run,) = results.runs
    assert run.board == f"{dying},{other},{busy},{good}"
    assert (run.parity, run.attribution) == (alone.parity, alone.attribution)
    assert run.parity is not None
    told = {each.name: each for each in results.boards}
    assert min(told[name].windows for name in (good, dying)) > 0
    assert sum(each.windows for each in results.boards) >= run.parity.windows
    assert [each.name for each in results.boards if not each.ended] == [good]
    assert "there is no such port" in told[dying].ended
    assert "runs build" in told[other].ended
    assert "busy" in told[busy].ended
    result.stdout.fnmatch_lines([f"board {dying} was left out: *", "windows and inferences by board: *"])
    assert "## Who did what" in (pytester.path / "reports" / "report.md").read_text(encoding="utf-8")


@needs_emulator
def test_if_no_board_is_left_one_test_says_why_and_the_others_do_not_try(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    result = hil("--board=/dev/null,/dev/zero", "--hil-flash=never", "-k", "int8 and (punch or flex)")
    result.assert_outcomes(errors=1, skipped=1)
    result.stdout.fnmatch_lines(["no board is left for gesture-int8-aot-stm32f4: /dev/null: *; /dev/zero: *"])
    assert result.ret == ExitStatus.INFRASTRUCTURE


def test_there_are_as_many_boards_as_workers_that_are_started(pytester: pytest.Pytester, hil: Hil) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    boards = "--board=/dev/null,/dev/zero"
    hil(boards, "-n3").stderr.fnmatch_lines(["ERROR: -n 3: *: 2 boards, *: write -n 2, or leave -n out, *"])
    assert hil(boards, "-n3", "--maxprocesses=2", "--collect-only").ret == ExitStatus.PASSED


@needs_emulator
@pytest.mark.nightly  # processes with TensorFlow Lite Micro take seconds to start
def test_a_crash_of_the_firmware_is_told_and_kills_no_board(
    pytester: pytest.Pytester, hil: Hil, build_id: bytes
) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    with (
        fake_board.running("gesture", "int8", build_id, events=["crash@4000"]) as first,
        fake_board.running("gesture", "int8", build_id) as second,
    ):
        result = hil(f"--board={first},{second}", *PUNCHES)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["lost punch/* at window *: * crashed*", "the others were answered"])
    assert [each.ended for each in read_results(pytester).boards] == ["", ""]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board=/dev/null,/dev/null"], "board /dev/null is named twice: *"),
        (["--board=/dev/null", "--board=spy:///dev/null"], "board /dev/null and spy:///dev/null are one: *"),
        (["--board=emulated,/dev/null"], "board emulated shares no work with /dev/null: *"),
        (["--board=/dev/null,"], "board /dev/null,: there is nothing on one side of a comma*"),
        (["--board=/dev/null,/dev/zero", "-n", "3"], "-n 3: /dev/null,/dev/zero: 2 boards, *: write -n 2, *"),
        pytest.param(
            ["--board=/dev/null", "-n", "2"],
            "-n 2: /dev/null: 1 board, *: leave -n out, *",
            marks=pytest.mark.nightly,  # as the one above
        ),
    ],
)
@needs_emulator
def test_boards_that_cannot_share_the_work_are_a_usage_error_of_one_line(
    pytester: pytest.Pytester, hil: Hil, arguments: list[str], message: str
) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    result = hil(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert len(result.stderr.str().strip().splitlines()) == 1


@needs_emulator
@pytest.mark.nightly  # a board that is gone is waited for in each worker, and one that is mute is asked for 15 s
def test_workers_have_a_board_each_and_take_another_if_theirs_dies(
    pytester: pytest.Pytester, hil: Hil, build_id: bytes
) -> None:
    pytester.makepyfile(test_predictions=PREDICTIONS)
    with ExitStack() as boards:

        def board(misbehave: Misbehaviour | None = None, *events: str, link: Path | None = None) -> str:
            running = fake_board.running("gesture", "int8", build_id, misbehave, events, link)
            return boards.enter_context(running)

        good, second, mute = board(), board(), board(Misbehaviour.SILENT)
        dying = board(None, "unplug@4000", link=pytester.path / "ttyACM0")
        hil(f"--board={good}", "--hil-flash=never", "-k", "int8").assert_outcomes(passed=5)
        (alone,) = read_results(pytester).runs
        names = f"{dying},{mute},{good},{second}"
        result = hil(f"--board={names}", "-n", "2", "--hil-flash=never", "-k", "int8")
    result.assert_outcomes(passed=5)
    results = read_results(pytester)
    (run,) = results.runs
    assert (run.verdict, run.parity) == ("pass", alone.parity)
    assert {each.name for each in results.boards if each.ended} == {dying, mute}
    assert {each.process for each in results.boards} == {"gw0", "gw1"}
