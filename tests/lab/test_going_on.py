"""A device that fails in the middle of a stream: what is lost, what is not, and when it is enough."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.device_helpers import expected_outputs, recording
from support.fake_contact import IMAGE, Bench, healthy, running
from support.fake_device import Misbehaviour
from tflm_hil.errors import DeviceError
from tflm_hil.lab.losses import MOST_IN_A_ROW, LostError
from tflm_hil.models.stimuli import Stimulus
from tflm_hil.recordings import Recording

ROWS = 100
ROWS_IN_A_REQUEST = 249 // (2 * IMAGE.channels)


def recordings(count: int) -> list[Recording]:
    return [
        Recording(f"wave/{i:03}", Path("wave.csv"), None, recording(ROWS, IMAGE.channels, i), None, 1.0)
        for i in range(count)
    ]


def stimuli(count: int) -> list[Stimulus]:
    return [Stimulus(f"random {i}", [np.full((1, 12), i, np.int8)]) for i in range(count)]


def requests_before(recording: int, chunk: int) -> int:
    """Return how many requests a device has answered when this chunk of a recording arrives: STATUS comes first."""
    return 1 + recording * (1 + -(-ROWS // ROWS_IN_A_REQUEST)) + 1 + chunk


@pytest.mark.parametrize(
    ("misbehaviour", "reason"),
    [
        (Misbehaviour.REBOOT, r"fake rebooted in the middle of the session \(watchdog\)"),
        (Misbehaviour.CRASH, r"fake crashed: usage fault: executed an undefined instruction .*"),
        (Misbehaviour.HANG, r"fake is silent: no answer to request #8 SAMPLES, .*"),
        (Misbehaviour.FLOOD, r"fake floods the line: .*"),
        (Misbehaviour.LEAVE, r"the serial line broke: the device has left"),
    ],
)
def test_what_a_device_does_costs_the_recording_that_it_does_it_in(
    make_bench: Callable[..., Bench], misbehaviour: Misbehaviour, reason: str
) -> None:
    first = healthy(misbehaviour, before_trouble=requests_before(recording=1, chunk=1))
    bench, fed = make_bench(first, healthy()), recordings(24)
    with bench.session() as device:
        measurement = device.stream(fed, go_on=True)
    (loss,) = measurement.lost
    window = (ROWS_IN_A_REQUEST - IMAGE.window) // IMAGE.stride + 1
    assert (loss.name, loss.window, loss.tried) == ("wave/001", window, True)
    assert re.fullmatch(rf"wave/001 at window {window}: {reason}", str(loss))
    assert [answers.recording.name for answers in measurement.answers] == [each.name for each in [fed[0], *fed[2:]]]
    for answers in measurement.answers:
        assert answers.outputs.tobytes() == b"".join(
            expected_outputs(answers.recording.samples, IMAGE.window, IMAGE.stride)
        )
    assert bench.board.connected == 2


def test_only_what_was_answered_counts_as_traffic(make_bench: Callable[..., Bench]) -> None:
    traffic = []
    for devices in ((healthy(),), (healthy(Misbehaviour.HANG), healthy())):
        bench = make_bench(*devices)
        with bench.session() as device:
            traffic.append(device.stream(recordings(4), go_on=True).traffic)
    whole, without_one = traffic
    assert (without_one.retried, without_one.faults) == (0, 0)
    assert 0 < without_one.sent_bytes < whole.sent_bytes


def test_an_inference_on_tensors_is_lost_in_the_same_way(make_bench: Callable[..., Bench]) -> None:
    bench, fed = make_bench(healthy(Misbehaviour.CRASH), healthy()), stimuli(6)
    with bench.session() as device:
        measurement = device.infer(fed, go_on=True)
    # STATUS, then WRITE, INVOKE and READ are one inference.
    assert [(loss.name, loss.window) for loss in measurement.lost] == [("random 1", None)]
    assert [stimulus.name for stimulus in measurement.stimuli] == [f"random {i}" for i in (0, 2, 3, 4, 5)]
    assert [outputs[0].tobytes() for outputs in measurement.outputs] == [bytes([i ^ 0xFF]) * 4 for i in (0, 2, 3, 4, 5)]


def test_a_stream_that_need_not_go_on_ends_with_the_error(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy(Misbehaviour.REBOOT), healthy())
    with bench.session() as device:
        with pytest.raises(DeviceError, match=r"^fake rebooted"):
            device.stream(recordings(3))
        assert bench.board.connected == 1
        device.reconnect()
        assert not device.stream(recordings(3)).lost


def test_what_was_lost_at_the_end_can_be_streamed_again(make_bench: Callable[..., Bench]) -> None:
    """The session has failed, and nothing was left to open another one for."""
    bench, fed = (
        make_bench(healthy(Misbehaviour.REBOOT, before_trouble=requests_before(0, 1)), healthy()),
        recordings(1),
    )
    with bench.session() as device:
        (loss,) = device.stream(fed, go_on=True).lost
        assert bench.board.connected == 1
        again = device.stream([each for each in fed if each.name == loss.name], go_on=True)
    assert not again.lost
    assert len(again.answers) == 1


def test_a_device_that_fails_again_and_again_is_left_alone(make_bench: Callable[..., Bench]) -> None:
    bench, fed = (
        make_bench(*(healthy(Misbehaviour.COUNT_BACKWARDS) for _ in range(MOST_IN_A_ROW)), healthy()),
        recordings(24),
    )
    with bench.session() as device:
        measurement = device.stream(fed, go_on=True)
    assert not measurement.answers
    assert [loss.name for loss in measurement.lost] == [each.name for each in fed]
    assert [loss.tried for loss in measurement.lost] == [True] * MOST_IN_A_ROW + [False] * (24 - MOST_IN_A_ROW)
    assert bench.board.connected == MOST_IN_A_ROW
    why = "3 in a row were lost, the last of them wave/002 at window 0: .*its counter ran backwards"
    assert re.search(
        rf"\nlost wave/003 and 20 more, not tried: {why} \(not tried again for gesture-int8\)\nnothing was answered$",
        str(LostError(measurement.lost, others=False)),
    )
    assert re.fullmatch(rf"{why} \(not tried again for gesture-int8\)", bench.refusal())


def test_answers_in_between_begin_anew(make_bench: Callable[..., Bench]) -> None:
    bench, fed = make_bench(healthy(Misbehaviour.REBOOT)), recordings(9)
    with bench.session() as device:
        measurement = device.stream(fed, go_on=True)
    assert [loss.name for loss in measurement.lost] == [fed[i].name for i in (1, 3, 5, 7)]
    assert [answers.recording.name for answers in measurement.answers] == [fed[i].name for i in (0, 2, 4, 6, 8)]


def test_losses_in_a_row_are_counted_over_sessions(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(healthy(Misbehaviour.COUNT_BACKWARDS))
    for _ in range(MOST_IN_A_ROW):
        with bench.session() as device:
            assert len(device.stream(recordings(1), go_on=True).lost) == 1
    assert bench.refusal().startswith("3 in a row were lost")


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (running(bytes(20)), r"the board reports no build id, .*"),
        (running(bytes(range(100, 120))), r"the board runs build 646566676869, but the harness built 000102030405; .*"),
        (None, r"fake: the serial line broke"),
        (
            healthy(Misbehaviour.SILENT),
            r"fake does not answer since it failed in the session before \(fake rebooted .*",
        ),
    ],
    ids=["without a build id", "another image", "gone", "silent"],
)
def test_what_cannot_be_tried_after_a_failure_is_told_with_the_reason(
    make_bench: Callable[..., Bench], then: object, reason: str
) -> None:
    bench, fed = make_bench(healthy(Misbehaviour.REBOOT), then), recordings(4)
    with bench.session() as device:
        measurement = device.stream(fed, go_on=True)
    assert [(loss.name, loss.tried) for loss in measurement.lost] == [
        ("wave/001", True),
        ("wave/002", False),
        ("wave/003", False),
    ]
    assert re.search(
        rf"\nlost wave/002 and 1 more, not tried: {reason}\nthe others were answered$",
        str(LostError(measurement.lost, others=True)),
    )


def test_what_was_lost_can_be_completed_later(make_bench: Callable[..., Bench]) -> None:
    bench, fed = make_bench(healthy(Misbehaviour.REBOOT), healthy()), recordings(4)
    with bench.session() as device:
        measurement = device.stream(fed, go_on=True)
        lost = {loss.name for loss in measurement.lost}
        again = device.stream([each for each in fed if each.name in lost], go_on=True)
    whole = measurement.completed(again)
    assert not whole.lost
    assert sorted(answers.recording.name for answers in whole.answers) == [each.name for each in fed]
    assert whole.traffic.sent_bytes == measurement.traffic.sent_bytes + again.traffic.sent_bytes
