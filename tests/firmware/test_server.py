"""The firmware's request server, compiled for the host: order, repetition, errors; the real client on a bad line."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from fastcrc import crc16
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.device_helpers import FakeClock, MemoryConnection, recording
from support.fake_device import FakeDevice
from support.firmware_helpers import CHANNELS, MODEL_SHA256, STRIDE, WINDOW, FirmwareOnHost, compile_for_host
from support.lossy_connection import LossyConnection, at_random
from support.targets import BUILT
from tflm_hil.device.client import Client
from tflm_hil.device.framing import Corrupt, Decoder, Frame, encode
from tflm_hil.device.messages import (
    FaultKind,
    Message,
    parse_boot,
    parse_crash,
    parse_error,
    parse_nak,
    parse_stack,
    parse_status,
)
from tflm_hil.device.uart_log import UartLog
from tflm_hil.models.preprocess import Quantization, prepare
from tflm_hil.recordings.windows import windows

RESPONSE = 0x80
CREDITS = 4
CORRUPT, GAP = 1, 2
RING_BYTES = 2 * CREDITS * 256
SANITISED = ("-DHOST_MAIN", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
HELLO = encode(Message.HELLO, 0, b"\x01\xaa\xbb\xcc\xdd")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_for_host(tmp_path_factory.mktemp("server"), "firmware.so", "-shared", "-fPIC")


@pytest.fixture
def server(library: Path) -> FirmwareOnHost:
    """With a session that has just begun."""
    server = FirmwareOnHost(library)
    server.feed(b"\0" + HELLO)
    return server


def frames(data: bytes) -> list[Frame]:
    found = Decoder().feed(data)
    assert not any(isinstance(item, Corrupt) for item in found)
    return cast(list[Frame], found)


def one(data: bytes) -> Frame:
    (frame,) = frames(data)
    return frame


def rows(count: int, seed: int = 0) -> bytes:
    return recording(count, len(CHANNELS), seed).astype("<i2").tobytes()


def results(body: bytes) -> tuple[int, list[tuple[int, int, int, int]]]:
    first, count = struct.unpack_from("<IB", body)
    assert len(body) == 5 + 12 * count
    return first, [struct.unpack_from("<IIHH", body, 5 + 12 * i) for i in range(count)]


def refused(frame: Frame) -> str:
    assert frame.type == Message.ERROR
    return parse_error(frame.body)


def test_hello_tells_what_the_image_is(library: Path, tmp_path: Path) -> None:
    clock = FakeClock()
    connection = MemoryConnection(cast(FakeDevice, FirmwareOnHost(library)), clock)
    info = Client(connection, UartLog(tmp_path / "log", clock), clock=clock).hello()
    assert (info.window, info.stride, info.channels) == (WINDOW, STRIDE, len(CHANNELS))
    assert (info.credits, info.max_body, info.clock_hz, info.overhead_ticks) == (CREDITS, 249, 168_000_000, 3)
    assert (info.calibration_instructions, info.calibration_ticks) == (0, 0)  # the loop is for Arm cores only
    assert info.model_hash == MODEL_SHA256[:8]
    assert info.build_id == b"0123456789abcdefghij"
    assert (info.engine, info.engine_version, info.target, info.debug) == ("fake", "0", "host", True)
    assert (info.inputs[0].scale, info.inputs[0].zero_point) == (2**-8, -128)
    assert info.output_bytes == 4


def test_a_start_is_announced_after_cutting_off_what_was_being_sent(server: FirmwareOnHost) -> None:
    assert server.boot[0] == 0
    boot = one(server.boot)
    assert (boot.type, boot.seq, parse_boot(boot.body)) == (Message.BOOT, 0, "power-on")


def test_a_reset_is_acknowledged_before_it_happens(server: FirmwareOnHost) -> None:
    resets = server.library.host_resets()
    assert one(server.feed(encode(Message.RESET, 1))).type == Message.RESET | RESPONSE
    assert server.library.host_resets() == resets + 1


def expected_windows(samples: NDArray[np.int16]) -> list[int]:
    prepared = prepare(windows(samples, WINDOW, STRIDE), CHANNELS, Quantization(np.dtype(np.int8), 2**-8, -128))
    return [crc16.ibm_3740(window.tobytes()) for window in prepared]


@settings(derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([0.0, 0.05, 0.3]),
    count=st.integers(0, 400),
    burst=st.sampled_from([1, 50, CREDITS * 256]),
)
def test_every_window_is_executed_exactly_once_over_a_bad_line(
    library: Path, tmp_path: Path, seed: int, rate: float, count: int, burst: int
) -> None:
    server, clock = FirmwareOnHost(library, burst), FakeClock()
    line = LossyConnection(MemoryConnection(cast(FakeDevice, server), clock), at_random(seed, rate))
    client = Client(line, UartLog(tmp_path / "log", clock), timeout=1.0, retries=50, clock=clock)
    client.hello()
    before = server.library.host_invocations()
    samples = recording(count, len(CHANNELS), seed)
    answers = [struct.unpack("<HH", result.outputs) for result in client.stream(samples)]
    assert [crc for crc, _ in answers] == expected_windows(samples)
    assert [(run - before) & 0xFFFF for _, run in answers] == list(range(1, len(answers) + 1))


def test_a_board_with_more_memory_has_more_requests_under_way(tmp_path: Path) -> None:
    many = 16
    server = FirmwareOnHost(compile_for_host(tmp_path, "many.so", "-shared", "-fPIC", f"-DHIL_CREDITS={many}"), 999)
    clock = FakeClock()
    line = LossyConnection(MemoryConnection(cast(FakeDevice, server), clock), at_random(1, 0.1))
    client = Client(line, UartLog(tmp_path / "log", clock), retries=50, clock=clock)
    assert client.hello().credits == many
    samples = recording(2000, len(CHANNELS))
    assert [struct.unpack("<HH", result.outputs)[0] for result in client.stream(samples)] == expected_windows(samples)
    server.feed(b"\0" + HELLO)
    requests = [encode(Message.STATUS, seq) for seq in range(1, many + 2)]
    answers = [server.feed(request) for request in requests]
    assert server.feed(requests[0]) == b""
    assert [server.feed(request) for request in requests[1:]] == answers[1:]


def test_every_board_says_how_many_requests_it_has_room_for() -> None:
    for target in BUILT:
        assert target.build is not None
        assert 3 * target.build.credits * 256 < target.memory["ram"].bytes / 4


def test_a_request_that_comes_again_is_answered_again_but_not_executed(server: FirmwareOnHost) -> None:
    request = encode(Message.SAMPLES, 1, rows(WINDOW))
    first = server.feed(request)
    runs = server.library.host_invocations()
    assert server.feed(request) == first
    assert server.library.host_invocations() == runs
    assert results(one(server.feed(encode(Message.SAMPLES, 2, rows(STRIDE)))).body)[0] == 1


def test_the_last_responses_are_kept_as_many_as_there_are_credits(server: FirmwareOnHost) -> None:
    requests = [encode(Message.STATUS, seq) for seq in range(1, CREDITS + 2)]
    answers = [server.feed(request) for request in requests]
    assert server.feed(requests[0]) == b""
    assert [server.feed(request) for request in requests[1:]] == answers[1:]


def test_a_gap_is_reported_once_a_try_and_nothing_is_executed_until_it_is_filled(server: FirmwareOnHost) -> None:
    runs = server.library.host_invocations()
    nak = one(server.feed(b"".join(encode(Message.SAMPLES, seq, rows(WINDOW)) for seq in (2, 3, 4))))
    assert (nak.type, nak.seq, parse_nak(nak.body)) == (Message.NAK, 0, (1, GAP))
    assert server.library.host_invocations() == runs
    assert server.feed(encode(Message.STATUS, 5)) == b""
    nak = one(server.feed(encode(Message.STATUS, 2) + encode(Message.STATUS, 3)))
    assert parse_nak(nak.body) == (1, GAP), "the host has begun again, and request 1 was lost again"
    assert one(server.feed(encode(Message.STATUS, 1))).seq == 1
    again = one(server.feed(encode(Message.STATUS, 4)))
    assert parse_nak(again.body) == (2, GAP)


def test_a_damaged_frame_is_counted_and_asked_for(server: FirmwareOnHost) -> None:
    before = parse_status(one(server.feed(encode(Message.STATUS, 1))).body)
    wire = bytearray(encode(Message.SAMPLES, 2, rows(WINDOW)))
    wire[9] ^= 0x10
    nak = one(server.feed(bytes(wire)))
    assert parse_nak(nak.body) == (2, CORRUPT)
    after = parse_status(one(server.feed(encode(Message.STATUS, 2))).body)
    assert after.bad_frames == before.bad_frames + 1
    assert after.windows == before.windows


def test_sequence_numbers_go_on_at_zero_after_65535(library: Path) -> None:
    server = FirmwareOnHost(library, burst=1024)
    server.feed(b"\0" + HELLO)
    for start in range(1, 65537, 4096):
        answers = frames(server.feed(b"".join(encode(Message.BEGIN, s & 0xFFFF) for s in range(start, start + 4096))))
        assert [answer.seq for answer in answers] == [s & 0xFFFF for s in range(start, start + 4096)]
    assert one(server.feed(encode(Message.BEGIN, 65535))).seq == 65535, "one that came before 0 is old, not far ahead"
    assert one(server.feed(encode(Message.STATUS, 1))).type == Message.STATUS | RESPONSE


def test_hello_ends_the_session_and_its_rows(server: FirmwareOnHost) -> None:
    server.feed(encode(Message.SAMPLES, 1, rows(WINDOW - 1)))
    answer = one(server.feed(HELLO))
    assert (answer.type, answer.seq, answer.body[:5]) == (Message.HELLO | RESPONSE, 0, b"\x01\xaa\xbb\xcc\xdd")
    assert results(one(server.feed(encode(Message.SAMPLES, 1, rows(1)))).body) == (0, [])


def test_begin_forgets_rows_and_counts_windows_from_zero(server: FirmwareOnHost) -> None:
    server.feed(encode(Message.SAMPLES, 1, rows(WINDOW + 1)))
    assert one(server.feed(encode(Message.BEGIN, 2))).body == b""
    assert results(one(server.feed(encode(Message.SAMPLES, 3, rows(WINDOW - 1)))).body) == (0, [])
    first, found = results(one(server.feed(encode(Message.SAMPLES, 4, rows(1)))).body)
    assert (first, len(found)) == (0, 1)
    assert found[0][:2] == (7, 7)


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        (0x0E, b"", "unknown"),
        (0x00, b"", "unknown"),
        (0x81, b"", "unknown"),
        (Message.BEGIN, b"x", "length"),
        (Message.SAMPLES, b"x", "whole number of rows"),
        (Message.TENSOR, b"", "length"),
        (Message.TENSOR, struct.pack("<HIB", 1, 0, 4), "not kept"),
        (Message.TENSOR, struct.pack("<HIB", 0, 4000, 4), "beyond"),
        (Message.ECHO, b"\1", "length"),
        (Message.FAULT, b"\x03", "kind"),
        (Message.DESCRIBE, b"\0", "length"),
        (Message.SENSE, b"\1", "no sensor"),
        (Message.SENSE, b"", "length"),
    ],
)
def test_what_cannot_be_executed_is_refused_and_the_session_goes_on(
    server: FirmwareOnHost, kind: int, body: bytes, why: str
) -> None:
    answer = one(server.feed(encode(kind, 1, body)))
    assert answer.seq == 1
    assert why in refused(answer)
    assert one(server.feed(encode(Message.STATUS, 2))).type == Message.STATUS | RESPONSE


def test_samples_whose_windows_exceed_a_response_are_refused_whole(server: FirmwareOnHost) -> None:
    room = (249 - 5) // 12
    most = WINDOW + (room - 1) * STRIDE
    assert len(results(one(server.feed(encode(Message.SAMPLES, 1, rows(most)))).body)[1]) == room
    runs = server.library.host_invocations()
    assert "more than a response" in refused(one(server.feed(encode(Message.SAMPLES, 2, rows(STRIDE * (room + 1))))))
    assert server.library.host_invocations() == runs


def test_an_engine_that_fails_is_reported(server: FirmwareOnHost) -> None:
    server.library.host_break_engine(True)
    try:
        assert "engine" in refused(one(server.feed(encode(Message.SAMPLES, 1, rows(WINDOW)))))
    finally:
        server.library.host_break_engine(False)


def test_an_engine_that_cannot_run_the_model_is_told_at_the_start_and_on_every_request(library: Path) -> None:
    FirmwareOnHost(library).library.host_break_engine(True)
    try:
        server = FirmwareOnHost(library)
        boot, log = frames(server.boot)
        assert (boot.type, log.type, log.body) == (Message.BOOT, Message.LOG, b"the engine cannot run this model")
        assert one(server.feed(b"\0" + HELLO)).body[-2:] == b"\0\0", "no inputs, no outputs"
        assert "cannot run" in refused(one(server.feed(encode(Message.SAMPLES, 1, rows(1)))))
        assert "cannot run" in refused(one(server.feed(encode(Message.TENSOR, 2, struct.pack("<HIB", 0, 0, 4)))))
        assert "cannot run" in refused(one(server.feed(encode(Message.INVOKE, 3))))
    finally:
        server.library.host_break_engine(False)
    assert len(frames(FirmwareOnHost(library).boot)) == 1


def test_a_tensor_is_read_in_parts(server: FirmwareOnHost) -> None:
    server.feed(encode(Message.SAMPLES, 1, rows(WINDOW)))
    parts = []
    for seq, offset in enumerate(range(0, 10, 4), 2):
        body = one(server.feed(encode(Message.TENSOR, seq, struct.pack("<HIB", 0, offset, 4)))).body
        assert struct.unpack_from("<I", body) == (10,)
        parts.append(body[4:])
    assert [len(part) for part in parts] == [4, 4, 2]
    assert crc16.ibm_3740(b"".join(parts)) == expected_windows(np.frombuffer(rows(WINDOW), "<i2").reshape(-1, 2))[0]


@given(data=st.binary(max_size=600))
def test_echo_returns_the_bytes_as_they_are_and_then_reads_frames_again(library: Path, data: bytes) -> None:
    server = FirmwareOnHost(library)
    server.feed(b"\0" + HELLO)
    request = encode(Message.ECHO, 1, struct.pack("<I", len(data)))
    answer, _, rest = server.feed(request + data).partition(b"\0")
    assert one(answer + b"\0").type == Message.ECHO | RESPONSE
    assert rest == data
    assert one(server.feed(encode(Message.STATUS, 2))).seq == 2


@pytest.mark.parametrize("kind", list(FaultKind))
def test_a_fault_is_acknowledged_before_it_happens(server: FirmwareOnHost, kind: FaultKind) -> None:
    assert one(server.feed(encode(Message.FAULT, 1, bytes([kind])))).type == Message.FAULT | RESPONSE
    assert server.library.host_last_crash() == kind


def test_the_fault_handler_sends_the_registers_after_cutting_off_what_was_being_sent(server: FirmwareOnHost) -> None:
    sent = server.crash(0)
    assert sent[0] == 0
    frame = frames(sent)[0]
    crash = parse_crash(frame.body)
    assert (frame.type, frame.seq, crash.kind) == (Message.CRASH, 0, 2)
    assert [crash.pc, crash.lr, crash.psr, crash.cfsr, crash.hfsr, crash.mmfar, crash.bfar, crash.sp] == [*range(1, 9)]
    assert crash.r4_to_r11 == (*range(9, 17),)


@pytest.mark.parametrize(("words", "sent"), [(0, 0), (1, 1), (32, 32), (33, 33), (1024, 1024), (2000, 1024)])
def test_the_stack_follows_in_parts_up_to_a_limit(server: FirmwareOnHost, words: int, sent: int) -> None:
    parts = [parse_stack(frame.body) for frame in frames(server.crash(words)) if frame.type == Message.STACK]
    assert b"".join(part.content for part in parts) == b"".join(struct.pack("<I", word) for word in range(sent))
    assert [part.left for part in parts] == [
        4 * sent - part.address + parts[0].address - len(part.content) for part in parts
    ]
    assert parts[-1].left == 0


def test_bytes_beyond_the_buffer_are_counted_and_the_session_recovers(server: FirmwareOnHost) -> None:
    before = parse_status(one(server.feed(encode(Message.STATUS, 1))).body).overruns
    server.burst = RING_BYTES + 100
    server.feed(encode(Message.STATUS, 1) * ((RING_BYTES + 200) // len(encode(Message.STATUS, 1))))
    server.burst = 1
    answer = frames(server.feed(b"\0" + encode(Message.STATUS, 2)))[-1]
    assert answer.seq == 2
    assert parse_status(answer.body).overruns > before


@given(garbage=st.binary(max_size=1500), burst=st.integers(1, RING_BYTES))
def test_after_any_garbage_a_delimiter_and_hello_begin_a_session(library: Path, garbage: bytes, burst: int) -> None:
    server = FirmwareOnHost(library, burst)
    server.feed(garbage)
    server.burst = 1
    assert frames(server.feed(b"\0" + HELLO))[-1].type == Message.HELLO | RESPONSE


@pytest.mark.parametrize("windowed", [True, False])
def test_no_memory_error_and_no_undefined_behaviour_on_a_damaged_stream(tmp_path: Path, windowed: bool) -> None:
    sanitized = compile_for_host(tmp_path, "firmware", *SANITISED, windowed=windowed)
    check_hostile_stream(sanitized, seed=1, requests=400)


@pytest.mark.nightly
@pytest.mark.parametrize("windowed", [True, False])
@pytest.mark.parametrize("credits_", [4, 16])
def test_no_memory_error_on_many_damaged_streams(tmp_path: Path, windowed: bool, credits_: int) -> None:
    flags = (*SANITISED, f"-DHIL_CREDITS={credits_}")
    sanitized = compile_for_host(tmp_path, "firmware", *flags, windowed=windowed)
    for seed in range(20):
        check_hostile_stream(sanitized, seed, requests=3000)


def check_hostile_stream(sanitized: Path, seed: int, requests: int) -> None:
    """Requests of any type, length and content, some of them damaged, repeated or lost at first, rubbish in between.

    What was damaged or lost comes again: beyond a gap nothing would be executed.
    """
    dice = np.random.default_rng(seed)
    stream, seq = b"", 0
    for number in range(requests):
        if number % 200 == 0:
            stream, seq = stream + b"\0" + HELLO, 0
        seq += 1
        kind = int(dice.choice([0, 1, 2, 3, 3, 3, 4, 5, 8, 9, 10, 11, 12, 200]))
        length = 4 * int(dice.integers(0, 62)) if kind == Message.SAMPLES else int(dice.choice([0, 1, 5, 6, 7, 9, 249]))
        body = dice.bytes(length)
        if kind in (Message.WRITE, Message.READ) and length > 5:  # near the end of a tensor
            body = struct.pack("<BI", *dice.integers([3, 700])) + body[5:]
        good = encode(kind, seq, body)
        damaged = bytearray(good)
        damaged[int(dice.integers(len(damaged)))] = int(dice.integers(256))
        before = [b"", b"", b"", bytes(damaged), good, encode(Message.STATUS, seq + 1), dice.bytes(300)]
        stream += before[int(dice.integers(len(before)))] + b"\0" + good
    done = subprocess.run([sanitized], input=stream + b"\0" + HELLO, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert frames(done.stdout)[-1].type == Message.HELLO | RESPONSE
