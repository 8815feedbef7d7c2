"""The client with a device that behaves, and with every kind of device that misbehaves."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.device_helpers import bench, check_windows, expected_outputs, recording, swapped
from support.fake_device import BEGIN, LOG, REQUESTS_BEFORE_TROUBLE, SAMPLES, Image, Misbehaviour, Tensor
from support.fake_framing import cobs_decode, frame
from support.lossy_connection import at_random
from tflm_hil.device.identity import check_identity
from tflm_hil.device.messages import FaultKind
from tflm_hil.errors import DeviceError, HilError, MuteError, RefusedError


def test_every_window_of_a_recording_comes_back_in_order(tmp_path: Path) -> None:
    b, samples = bench(tmp_path), recording(200)
    progress: list[int] = []
    b.client.hello()
    check_windows(b.client.stream(samples, progress.append), samples, b.device.image)
    assert progress == sorted(progress)
    assert progress[-1] == 99
    assert b.client.link.retried == 0
    assert b.client.status().windows == 99


def test_each_recording_begins_at_window_zero_and_follows_without_a_pause(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    recordings = [recording(rows, seed=rows) for rows in (30, 3, 0, 100, 4)]
    progress: list[int] = []
    for results, samples in zip(b.client.stream_all(recordings, progress.append), recordings, strict=True):
        check_windows(results, samples, b.device.image)
    assert progress[-1] == sum(len(expected_outputs(samples, 4, 2)) for samples in recordings)
    assert len(progress) == len(b.device.executed)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=st.lists(st.integers(0, 90), max_size=6), window=st.integers(1, 30), stride=st.integers(1, 40))
def test_rows_that_come_bit_by_bit_have_the_windows_of_the_whole(
    tmp_path: Path, sizes: list[int], window: int, stride: int
) -> None:
    image = Image(window, stride, 3, inputs=(Tensor(9, (1, 3 * window), 0.25, -3),))
    b, samples = bench(tmp_path, image), recording(sum(sizes))
    b.client.hello()
    for _ in range(2):  # Each feed begins a recording of its own.
        feed = b.client.feed()
        ends = np.cumsum([0, *sizes])
        parts = [feed.feed(samples[start:end]) for start, end in itertools.pairwise(ends)]
        check_windows([each for part in parts for each in part], samples, image)


def test_a_line_that_only_echoes_is_no_device(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.device.feed = lambda data: data  # type: ignore[method-assign]
    with pytest.raises(MuteError, match="only sends back what it receives: is TX connected to RX"):
        b.client.hello()


def test_a_recording_that_is_too_short_has_no_windows(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    assert b.client.stream(recording(3)) == []
    assert b.client.stream(recording(0)) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    window=st.integers(1, 40),
    stride=st.integers(1, 50),
    channels=st.integers(1, 20),
    outputs=st.integers(1, 59),
    rows=st.integers(0, 120),
    max_body=st.sampled_from([68, 100, 249]),
)
def test_requests_are_cut_so_that_they_and_their_answers_fit(
    tmp_path: Path, window: int, stride: int, channels: int, outputs: int, rows: int, max_body: int
) -> None:
    outputs = min(outputs, (max_body - 13) // 4)
    image = Image(
        window=window, stride=stride, channels=channels, max_body=max_body, outputs=(Tensor(9, (4 * outputs,)),)
    )
    b = bench(tmp_path, replace(image, engine="", engine_version="", target="", inputs=()))
    infer = b.device.infer
    b.device.infer = lambda rows: infer(rows) * outputs
    samples = recording(rows, channels)
    b.client.hello()
    before = len(b.line.written)
    results = b.client.stream(samples)
    assert [result.index for result in results] == list(range(0 if rows < window else (rows - window) // stride + 1))
    packets = [cobs_decode(wire) for wire in b.line.written[before:].split(b"\0") if wire]
    assert [packet[0] for packet in packets] == [BEGIN] + [SAMPLES] * (len(packets) - 1)
    assert all(len(packet) <= max_body + 5 for packet in packets)


def test_samples_that_do_not_fit_the_device_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    for wrong in (recording(9, channels=4), np.zeros(9, np.int16), np.zeros((9, 3), np.float32)):
        with pytest.raises(HilError, match="takes int16 rows of 3 channels"):
            b.client.stream(wrong)  # type: ignore[arg-type]
    assert b.device.executed == []


def test_echo_returns_what_was_sent(tmp_path: Path) -> None:
    b, data = bench(tmp_path), bytes(range(256)) * 20
    b.client.hello()
    assert b.client.echo(data) == data
    assert b.client.status().windows == 0


TENSORS = Image(
    window=0,
    stride=0,
    channels=0,
    inputs=(Tensor(9, (1, 700), 0.5), Tensor(0, (1, 2)), Tensor(9, (1, 244), 0.5)),
    outputs=(Tensor(9, (1, 244), 0.5), Tensor(0, (1, 2)), Tensor(9, (1, 700), 0.5)),
)


def test_an_inference_writes_every_input_and_reads_every_output(tmp_path: Path) -> None:
    b = bench(tmp_path, TENSORS)
    b.client.hello()
    dice = np.random.default_rng(0)
    cases = [[dice.bytes(700), dice.bytes(8), dice.bytes(244)] for _ in range(3)]
    progress: list[int] = []
    for case, inference in zip(cases, b.client.infer_all(cases, progress.append), strict=True):
        assert inference.outputs == swapped(case)
        assert inference.invoke_ticks == 8000 + b.device.image.overhead_ticks
    assert progress == [1, 2, 3]
    assert b.client.infer(cases[0]).outputs == swapped(cases[0])
    assert b.client.status().windows == 4


def test_inferences_survive_a_bad_line(tmp_path: Path) -> None:
    b = bench(tmp_path, TENSORS, plan=at_random(3, 0.1), retries=20)
    b.client.hello()
    cases = [[bytes([n] * 700), bytes([n] * 8), bytes([n] * 244)] for n in range(20)]
    assert [inference.outputs for inference in b.client.infer_all(cases)] == [swapped(case) for case in cases]
    assert b.client.link.retried > 0


def test_inputs_and_recordings_that_do_not_fit_the_device_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    b = bench(tmp_path, TENSORS)
    b.client.hello()
    with pytest.raises(HilError, match=r"takes inputs of \[700, 8, 244\] bytes, not \[700, 8\]"):
        b.client.infer([bytes(700), bytes(8)])
    with pytest.raises(HilError, match="takes tensors, not recordings"):
        b.client.stream(recording(9))
    assert b.device.executed == []


def test_an_output_of_another_size_than_announced_is_an_error(tmp_path: Path) -> None:
    b = bench(tmp_path, TENSORS)
    b.client.hello()
    b.device.infer_tensors = lambda inputs: [content[:-1] for content in swapped(inputs)]
    with pytest.raises(DeviceError, match=r"243 bytes of a tensor of 243 bytes instead of 244 of 244"):
        b.client.infer([bytes(700), bytes(8), bytes(244)])


def test_a_tensor_comes_in_pieces(tmp_path: Path) -> None:
    b = bench(tmp_path, Image(debug=True))
    b.client.hello()
    assert b.client.tensor(5) == bytes((5 + i) & 0xFF for i in range(1000))


def test_a_refusal_is_an_error_that_leaves_the_session_open(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    with pytest.raises(RefusedError, match=r"refused request #1 TENSOR: not available in this build: tensors$"):
        b.client.tensor(0)
    assert b.client.status().stack_size == 4096


def test_reset_boots_the_device_and_ends_the_session(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    b.client.reset()
    with pytest.raises(DeviceError, match="no session is open; call hello"):
        b.client.status()
    b.client.hello()
    b.client.status()


def test_faults_are_found_by_the_next_request(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    b.client.fault(FaultKind.UNDEFINED)
    with pytest.raises(DeviceError, match=r"crashed: usage fault: executed an undefined instruction \(UNDEFINSTR\)"):
        b.client.status()


@pytest.mark.parametrize(
    ("misbehaviour", "message"),
    [
        (
            Misbehaviour.SILENT,
            "the device is silent: no answer to HELLO in 4 s: is tflm-hil firmware flashed, and is this its port?"
            " If it crashed before this run, reset it by hand",
        ),
        (
            Misbehaviour.GARBAGE,
            "the device sends garbage: 84 bytes without a valid frame:"
            " is tflm-hil firmware flashed, and is the baud rate right?",
        ),
        (
            Misbehaviour.PROTOCOL,
            "the device speaks protocol version 2, this harness version 1;"
            " build and flash the firmware from the same checkout",
        ),
    ],
)
def test_a_device_that_does_not_answer_hello(tmp_path: Path, misbehaviour: Misbehaviour, message: str) -> None:
    b = bench(tmp_path, misbehaviour=misbehaviour)
    with pytest.raises(DeviceError) as caught:
        b.client.hello()
    assert str(caught.value) == message
    assert any("HELLO" in line for line in caught.value.log_tail)


@pytest.mark.parametrize(
    ("misbehaviour", "message"),
    [
        (Misbehaviour.REBOOT, "the device rebooted in the middle of the session (watchdog)"),
        (
            Misbehaviour.CRASH,
            "the device crashed: usage fault: executed an undefined instruction (UNDEFINSTR); PC 0x08001234,"
            " LR 0x08000fed, SP 0x2001ff80, CFSR 0x00010000, HFSR 0x40000000",
        ),
        (
            Misbehaviour.HANG,
            f"the device is silent: no answer to request #{REQUESTS_BEFORE_TROUBLE + 1} SAMPLES, sent 6 times in 4.8 s:"
            " the device hangs, or the line is broken",
        ),
    ],
)
def test_a_device_that_fails_in_the_middle(tmp_path: Path, misbehaviour: Misbehaviour, message: str) -> None:
    b = bench(tmp_path, misbehaviour=misbehaviour)
    b.client.hello()
    with pytest.raises(DeviceError) as caught:
        b.client.stream(recording(1000))
    assert str(caught.value) == message
    assert "SAMPLES" in "".join(caught.value.log_tail)


def test_unexpected_windows_are_an_error(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    b.device.image = replace(b.device.image, stride=3)
    with pytest.raises(
        DeviceError, match=r"rows 0 to 40 complete windows 0 to 18, but the device answered windows 0 to 12"
    ):
        b.client.stream(recording(60))


def test_a_log_line_does_not_disturb_a_request(tmp_path: Path) -> None:
    b = bench(tmp_path)
    b.client.hello()
    b.line.arrives(frame(LOG, 0, b"engine ready"))
    assert b.client.status().windows == 0
    assert any("'engine ready'" in line for line in b.log.tail())


def test_the_identity_of_the_image_is_checked(tmp_path: Path) -> None:
    info = bench(tmp_path).client.hello()
    check_identity(info, bytes(range(20)), bytes(range(32)))
    with pytest.raises(
        DeviceError, match=r"^the board runs build 000102030405, but the harness built ffffffffffff; flash "
    ):
        check_identity(info, b"\xff" * 20, bytes(range(32)))
    with pytest.raises(
        DeviceError, match=r"^the board runs model 000102030405, but the test expects ffffffffffff; flash "
    ):
        check_identity(info, bytes(range(20)), b"\xff" * 32)
