"""Devices that send false or hostile data: each gets one line, at once, which no terminal or CI system executes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.device_helpers import bench, recording
from support.fake_device import BOOT, LOG, Image, Tensor
from support.fake_framing import frame
from support.harmless import check_harmless
from tflm_hil.device import uart_log
from tflm_hil.device.framing import Corrupt, Frame
from tflm_hil.device.identity import Layout, check_layout
from tflm_hil.device.text import printable
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError


@given(st.binary(max_size=300))
@example(b"::error::no")
@example(b"  ::set-output name=a::b")
@example(b"##[error]no ##vso[task.complete] ###[group]")
@example(b"\x1b[2J\x1b]0;title\x07\r\x7f\xc2\x9b31m")
@example("\u202etxt.exe \u2066\u200b\ufeff\u2028\ufffe\U000e0041".encode())
def test_no_bytes_of_a_device_command_a_terminal_or_a_ci_system(data: bytes) -> None:
    text = printable(data)
    check_harmless(text)
    text.encode()
    assert len(text) < 200


def test_ordinary_text_stays_unchanged() -> None:
    text = "größe 3 µs: #1 [ok] 100 % 漢字"
    assert printable(text.encode()) == text
    assert printable(b"x" * 1000) == "x" * 160 + "... (1000 bytes)"


RUBBISH = "\x1b[31m\r::error::no ##vso[x]\u202e"


def test_every_text_of_a_device_is_made_harmless(tmp_path: Path) -> None:
    b = bench(tmp_path, Image(engine=RUBBISH, engine_version=RUBBISH, target=RUBBISH))
    b.line.arrives(RUBBISH.encode() + b"\n\0")
    info = b.client.hello()
    for text in (info.engine, info.engine_version, info.target):
        check_harmless(text)
    b.line.arrives(frame(LOG, 0, RUBBISH.encode()))
    refusal = bytes([3, len(RUBBISH.encode())]) + RUBBISH.encode()
    b.device._execute = lambda type_, seq, body: frame(0xFF, seq, refusal)  # type: ignore[method-assign]  # noqa: ARG005
    with pytest.raises(DeviceError, match="refused request #1 STATUS: not available in this build: ") as caught:
        b.client.status()
    for line in (str(caught.value), *caught.value.log_tail, *b.log.path.read_text().split("\n")):
        check_harmless(line)
    assert any("LOG" in line and "31m" in line for line in caught.value.log_tail)


SOME = Tensor(9, (1, 4), 0.5, 7)


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (Image(outputs=(Tensor(0, (65535, 65535)),)), "would take 17,179,344,900 bytes"),
        (Image(outputs=(Tensor(0, (32768, 32768)),)), "would take 4,294,967,296 bytes"),
        (Image(window=0, stride=0, channels=0, inputs=(Tensor(9, (65535, 65535), 0.5),)), "would take 4,294,836,225"),
        (Image(outputs=(Tensor(9, (1, 0, 4), 0.5),)), r"of shape \[1, 0, 4\] has no elements"),
        (Image(outputs=(Tensor(9, (1,) * 60, 0.5),), inputs=()), "has 60 dimensions, more than 8"),
        (Image(outputs=(replace(SOME, scale=float("nan")),)), "scale is nan"),
        (Image(outputs=(replace(SOME, scale=float("inf")),)), "scale is inf"),
        (Image(outputs=(replace(SOME, scale=-0.5),)), "scale is -0.5"),
        (Image(outputs=(replace(SOME, zero_point=128),)), "type int8 has zero point 128"),
        (Image(outputs=(Tensor(99, (1,)),)), "tensor type 99"),
    ],
)
def test_an_impossible_tensor_is_one_line_at_once(tmp_path: Path, image: Image, complaint: str) -> None:
    b = bench(tmp_path, image)
    with pytest.raises(DeviceError, match=rf"^the device sent a malformed HELLO message: .*{complaint}") as caught:
        b.client.hello()
    assert "\n" not in str(caught.value)
    assert b.clock.now == 0


@pytest.mark.parametrize(
    ("offset", "layout", "value", "complaint"),
    [
        (6, "<B", 0, "credits and outputs must not be 0"),
        (7, "<H", 0, "max_body is 0, not 68 to 249"),
        (7, "<H", 5, "max_body is 5, not 68 to 249"),
        (7, "<H", 65535, "max_body is 65535, not 68 to 249"),
        (9, "<B", 9, "counter kind 9"),
        (10, "<I", 0, "the core clock is 0 Hz"),
        (28, "<H", 0, "window, stride and channels must be all zero or all nonzero"),
        (30, "<B", 125, "a row or a window's outputs do not fit"),
    ],
)
def test_a_hello_with_impossible_numbers_is_one_line_at_once(
    tmp_path: Path, offset: int, layout: str, value: int, complaint: str
) -> None:
    b = bench(tmp_path)
    honest = b.device._hello

    def hello(body: bytes) -> bytes:
        answer = bytearray(honest(body))
        struct.pack_into(layout, answer, offset, value)
        return bytes(answer)

    b.device._hello = hello  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match=rf"^the device sent a malformed HELLO message: {complaint}"):
        b.client.hello()
    assert b.clock.now == 0


LAYOUT = Layout(4, 2, 3, ((np.dtype(np.int8), 12),), ((np.dtype(np.int8), 4),))


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (Image(window=5), "window 5, but the model has 4"),
        (Image(stride=3), "stride 3, but the model has 2"),
        (Image(channels=6), "channels 6, but the model has 3"),
        (Image(inputs=(Tensor(9, (1, 13), 0.25),)), r"inputs \[13 x int8\], but the model has \[12 x int8\]"),
        (Image(outputs=(SOME, SOME)), r"outputs \[4 x int8, 4 x int8\], but the model has \[4 x int8\]"),
        (Image(outputs=(Tensor(3, (1, 4), 0.5),)), r"outputs \[4 x uint8\], but the model has \[4 x int8\]"),
    ],
)
def test_a_difference_from_the_layout_of_the_model_is_named(tmp_path: Path, image: Image, complaint: str) -> None:
    check_layout(bench(tmp_path).client.hello(), LAYOUT)
    with pytest.raises(DeviceError, match=rf"^the board reports {complaint}; build and flash"):
        check_layout(bench(tmp_path, image).client.hello(), LAYOUT)


@pytest.mark.parametrize(
    ("ticks", "complaint"),
    [(0, "0 ticks for .*, but an empty measurement takes 12"), (2**32 - 5, "its counter ran backwards")],
)
def test_impossible_ticks_are_an_error(tmp_path: Path, ticks: int, complaint: str) -> None:
    b = bench(tmp_path)
    b.client.hello()
    honest = b.device._samples

    def samples(body: bytes, row: int) -> bytes:
        answer = bytearray(honest(body, row))
        struct.pack_into("<I", answer, 9, ticks)
        return bytes(answer)

    b.device._samples = samples  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match=complaint):
        b.client.stream(recording(4))
    image = Image(window=0, stride=0, channels=0, inputs=(Tensor(9, (4,), 0.5),))
    b = bench(tmp_path, image)
    b.client.hello()
    invoke = b.device._invoke
    b.device._invoke = lambda: struct.pack("<I", ticks) + invoke()[4:]  # type: ignore[method-assign]
    with pytest.raises(DeviceError, match=complaint):
        b.client.infer([bytes(4)])


def test_a_log_is_bounded_and_says_how_many_lines_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uart_log, "_MOST_BYTES", 10_000)
    path = tmp_path / "uart.log"
    with UartLog(path) as log:
        for number in range(2000):
            log.received(Corrupt("bad COBS", bytes([number % 256]) * 200))
    lines = path.read_text().splitlines()
    assert path.stat().st_size < 10_000 + 220 * 110
    (full,) = (at for at, line in enumerate(lines) if "this file is full" in line)
    assert f"{2000 - (full - 1)} lines left out; the last 200 of them:" in lines[full + 1]
    assert len(lines) == full + 2 + 200


def test_a_log_that_is_not_full_leaves_nothing_out(tmp_path: Path) -> None:
    with UartLog(tmp_path / "uart.log") as log:
        log.received(Frame(3, 1, b"x"))
    assert "left out" not in log.path.read_text()


@pytest.mark.parametrize("use", ["describe", "stream", "status", "reset"])
def test_every_request_reports_a_reboot(tmp_path: Path, use: str) -> None:
    image = Image(window=0, stride=0, channels=0, inputs=(SOME,) * 40) if use == "describe" else Image()
    b = bench(tmp_path, image)
    boot = frame(BOOT, 0, b"\x01\x04")
    if use != "describe":
        b.client.hello()
    b.device._execute = lambda *_: boot  # type: ignore[method-assign]
    asked: dict[str, Callable[[], object]] = {
        "describe": b.client.hello,
        "stream": lambda: b.client.stream(recording(40)),
        "status": b.client.status,
        "reset": b.client.reset,
    }
    with pytest.raises(DeviceError, match=r"rebooted in the middle of the session \(watchdog\)"):
        asked[use]()
    assert b.clock.now == 0
