"""What one session with a board teaches the next."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from support.device_helpers import checksum
from support.fake_contact import BUILD, IMAGE, OTHER, Bench, healthy, running
from support.fake_device import FakeDevice, Misbehaviour
from tflm_hil.device.messages import FaultKind
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.lab.options import Flash


def test_a_counter_that_counts_something_else_is_refused_and_answers_are_as_good_as_ever(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(FakeDevice(replace(IMAGE, calibration_ticks=544), checksum))
    with bench.session() as device:
        assert device.refused_counter.startswith("the device's counter (DWT) shows 544 ticks for a loop of 1,024 instr")
        assert device.status().windows == 0


def test_a_line_that_breaks_in_hello_is_tried_again(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(None, healthy())
    assert bench.refusal() == "fake: the serial line broke"
    with bench.session() as device:
        assert device.status().windows == 0


def test_a_line_that_breaks_again_and_again_is_not(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(None)
    assert [bench.refusal() for _ in range(3)] == ["fake: the serial line broke"] * 3
    assert bench.refusal() == "fake: the serial line broke (not tried again for gesture-int8)"
    assert bench.board.connected == 3


def test_a_device_that_never_answered_may_not_be_flashed_and_is_asked_once(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy(Misbehaviour.SILENT))
    assert "is tflm-hil firmware flashed, and is this its port" in bench.refusal()
    assert bench.refusal().endswith("(not tried again for gesture-int8)")
    assert bench.board.connected == 1


def test_another_image_is_another_device_only_where_it_is_flashed(make_bench: Callable[..., Bench]) -> None:
    for flash, connections in ((Flash.NEVER, 1), (Flash.AUTO, 2)):
        bench = make_bench(healthy(Misbehaviour.SILENT))
        bench.board.persistent = False
        bench.refusal(flash)
        bench.refusal(flash, IMAGE.build_id[::-1])
        assert bench.board.connected == connections


@pytest.mark.parametrize("kind", [FaultKind.UNDEFINED, FaultKind.HANG])
def test_a_device_that_crashed_and_that_nothing_resets_has_to_be_reset_by_hand(
    make_bench: Callable[..., Bench], kind: FaultKind
) -> None:
    device = healthy()
    bench = make_bench(device)
    with bench.session() as opened:
        opened.client.fault(kind)
        with pytest.raises(DeviceError) as failure:
            opened.status()
    refusal = bench.refusal()
    assert refusal == (
        f"fake does not answer since it failed in the session before ({failure.value}), and nothing resets it from"
        " here: reset it by hand (its button, or its power), then run again"
    )
    assert bench.refusal() == f"{refusal} (not tried again for gesture-int8)"
    assert bench.board.connected == 2


def test_a_device_whose_emulator_fails_is_told_as_such_and_tried_again(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy(Misbehaviour.SILENT), healthy())
    bench.board.said = "QEMU stands still"
    assert bench.refusal().endswith("(QEMU stands still)")
    with bench.session() as device:
        assert device.status().windows == 0


def test_an_emulator_that_fails_in_mid_session_is_told_as_such(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy())
    with bench.session() as device:
        device.client.fault(FaultKind.HANG)
        bench.board.said = "QEMU stands still"
        with pytest.raises(DeviceError, match=r"is silent: no answer to request .* \(QEMU stands still\)$"):
            device.status()


def test_a_board_that_runs_the_image_is_not_flashed(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy())
    with bench.session(Flash.AUTO) as device:
        assert device.status().windows == 0
    assert bench.board.flashes == 0


@pytest.mark.parametrize(
    "device",
    [
        running(OTHER),
        running(bytes(20)),
        *map(healthy, (Misbehaviour.SILENT, Misbehaviour.GARBAGE, Misbehaviour.PROTOCOL)),
    ],
    ids=["another image", "no build id", "silent", "garbage", "another protocol"],
)
def test_a_board_that_runs_anything_else_is_flashed_once(make_bench: Callable[..., Bench], device: FakeDevice) -> None:
    bench = make_bench(device)
    bench.board.flashed = healthy()
    for _ in range(2):
        with bench.session(Flash.AUTO) as opened:
            assert opened.status().windows == 0
    assert bench.board.flashes == 1
    assert bench.clock.now < 7  # A blank board is not asked for long.


def test_a_board_is_flashed_for_each_image(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(running(OTHER))
    for build_id in (IMAGE.build_id, OTHER, IMAGE.build_id):
        bench.board.flashed = running(build_id)
        with bench.session(Flash.AUTO, build_id):
            pass
    assert bench.board.flashes == 3


def test_always_flashes_once_a_run_and_again_where_another_image_came_between(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy())
    for build_id, flashes in ((IMAGE.build_id, 1), (IMAGE.build_id, 1), (OTHER, 2), (IMAGE.build_id, 3)):
        bench.board.flashed = running(build_id)
        with bench.session(Flash.ALWAYS, build_id):
            pass
        assert bench.board.flashes == flashes


def test_never_leaves_the_board_as_it_is(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(running(OTHER))
    assert bench.refusal().startswith(
        f"the board runs build {OTHER[:6].hex()}, but the harness built {BUILD}; flash the image that was built"
    )
    assert bench.board.flashes == 0


def test_an_image_without_a_build_id_is_flashed_once_a_run(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(running(bytes(20)))
    for _ in range(2):
        with bench.session(Flash.AUTO, bytes(20)):
            pass
    assert bench.board.flashes == 1


def test_a_tool_is_not_believed(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(running(OTHER))
    refusal = bench.refusal(Flash.AUTO)
    assert refusal == (
        f"fake still runs build {OTHER[:6].hex()} after it was flashed with build {BUILD}:"
        " tool ended with 0 and said: programmed 0 bytes; see flash.log"
    )
    assert bench.refusal(Flash.AUTO) == f"{refusal} (not tried again for gesture-int8)"
    assert bench.board.flashes == 1


def test_a_board_that_is_silent_after_it_was_flashed_is_told_with_what_the_tool_said(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(healthy(Misbehaviour.SILENT))
    assert re.fullmatch(
        r"fake is silent: .*, though it has just been flashed: tool ended with 0 and said: .*; see flash.log",
        bench.refusal(Flash.AUTO),
    )


def test_a_board_that_cannot_be_flashed_is_told_with_the_reason_to_do_so(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(running(OTHER))
    bench.board.flashed = HilError("fake: tool is not installed: apt-get install tool")
    refusal = bench.refusal(Flash.AUTO)
    assert refusal == (
        f"fake runs build {OTHER[:6].hex()}, not build {BUILD};"
        " it was not flashed: fake: tool is not installed: apt-get install tool"
    )
    assert bench.refusal(Flash.AUTO) == f"{refusal} (not tried again for gesture-int8)"
    assert bench.board.flashes == 1
    bench = make_bench(healthy())
    bench.board.flashed = HilError("fake: no probe")
    assert bench.refusal(Flash.ALWAYS) == "fake: no probe"


def test_a_board_that_others_keep_from_answering_is_not_flashed(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy(Misbehaviour.SILENT), healthy())
    bench.board.said = "minicom has the port open as well"
    assert bench.refusal(Flash.AUTO).endswith("(minicom has the port open as well)")
    with bench.session(Flash.AUTO):
        assert bench.board.flashes == 0


def test_a_board_that_crashed_and_that_nothing_resets_is_flashed_again(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy())
    bench.board.flashed = healthy()
    with bench.session(Flash.AUTO) as device:
        device.client.fault(FaultKind.HANG)
    with bench.session(Flash.AUTO) as device:
        assert device.status().windows == 0
    assert bench.board.flashes == 1


def test_an_emulated_board_is_given_the_image_and_not_asked(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy())
    bench.board.persistent = False
    for flashes in (1, 2):
        with bench.session(Flash.AUTO):
            assert (bench.board.flashes, bench.board.connected) == (flashes, flashes)
