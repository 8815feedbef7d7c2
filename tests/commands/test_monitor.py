"""What a line says, decoded: every message, text beside them, crashes, and nonsense."""

from __future__ import annotations

import os
import struct
import tty
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.device_helpers import FakeClock, MemoryConnection, checksum
from support.emulated_image import address_range
from support.fake_device import BOOT, CRASH, LOG, STACK, FakeDevice, Image
from support.fake_framing import frame
from support.firmware_helpers import ROOT
from support.harmless import check_harmless
from support.hil_command import hil
from support.needs import needs_compiler
from support.targets import STM32F4
from tflm_hil.boards.serial import port as serial_port
from tflm_hil.boards.serial.board import SerialLine
from tflm_hil.commands.monitor import Monitor
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.decoding import decode
from tflm_hil.device.framing import Frame
from tflm_hil.device.messages import RESPONSE, FaultKind, Message
from tflm_hil.device.traffic import Head, TrafficLog
from tflm_hil.device.uart_log import UartLog
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.errors import DeviceError
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models


def received(*pieces: bytes, elf: Path | None = None) -> list[str]:
    monitor = Monitor(elf)
    return [line for piece in pieces for line in monitor.received(piece)] + list(monitor.silence())


class Watched(MemoryConnection):
    """A line that a monitor watches."""

    def __init__(self, device: FakeDevice, clock: FakeClock) -> None:
        super().__init__(device, clock)
        self.monitor, self.lines = Monitor(None), list[str]()

    def write(self, data: bytes) -> None:
        self.lines += self.monitor.sent(data)
        super().write(data)

    def read(self, timeout: float) -> bytes:
        data = super().read(timeout)
        self.lines += self.monitor.received(data)
        return data


def test_a_session_is_told_request_by_request(tmp_path: Path) -> None:
    clock = FakeClock()
    line = Watched(FakeDevice(Image(debug=True), checksum, infer_tensors=lambda _: [bytes(4)]), clock)
    client = Client(line, UartLog(tmp_path / "log", clock), clock=clock)
    client.hello()
    client.stream(np.zeros((10, 3), np.int16))
    client.infer([bytes(12)])
    client.status()
    client.tensor(7)
    client.reset()
    client.hello()
    client.fault(FaultKind.BUS_ERROR)
    with pytest.raises(DeviceError):
        client.status()
    said = [text.partition(", nonce")[0] for text in line.lines]
    assert said[:12] == [
        "-> #0 HELLO: protocol 1",
        "<- HELLO: protocol 1, stm32f4, engine aot 0 (fake), build 000102030405, model 000102030405, 4 credits,"
        " counter DWT at 168,000,000 Hz, debug build",
        "-> #1 BEGIN",
        "-> #2 SAMPLES: 60 bytes",
        "<- #1 BEGIN",
        "<- #2 SAMPLES: windows 0 to 3",
        "-> #3 WRITE: 12 bytes into input 0 from 0",
        "-> #4 INVOKE",
        "-> #5 READ: 4 bytes of output 0 from 0",
        "<- #3 WRITE",
        "<- #4 INVOKE: 8,012 ticks",
        "<- #5 READ: 4 of 4 bytes",
    ]
    assert "<- #6 STATUS: 5 windows, 0 bad frames, 0 overruns, stack 512 of 4,096 bytes" in said
    assert "-> #8 TENSOR: 245 bytes of tensor 7 from 0" in said
    assert "<- BOOT: software reset" in said
    assert "-> #1 FAULT: bus_error" in said
    assert any(text.startswith("-- crashed: usage fault: executed an undefined instruction") for text in said)


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (frame(BOOT, 0, b"\x01\x04"), "<- BOOT: watchdog"),
        (frame(LOG, 0, b"no engine\x1b[2J"), r"<- LOG: no engine\x1b[2J"),
        (frame(0xF3, 0, struct.pack("<HB", 7, 2)), "<- NAK: expects #7, a request is missing"),
        (frame(0xFF, 9, b"\x03\x02no"), "<- #9 ERROR: not available in this build: no"),
        (frame(0x42, 0, b"123"), "<- #0 0x42: 3 bytes"),
        (frame(BOOT, 0, b""), "<- BOOT: malformed, 0 bytes"),
        (b"temperature: 21.5 C\r\n", "<- temperature: 21.5 C"),
        (b"\x80\x13\x77\0", "<- bad COBS: 3 bytes, 80 13 77"),
    ],
)
def test_what_a_device_says_by_itself_is_told(sent: bytes, line: str) -> None:
    assert received(sent) == [line]


def test_text_before_a_frame_hides_none() -> None:
    assert received(b"one\ntwo\n" + frame(BOOT, 0, b"\x01\x01")) == ["<- one", "<- two", "<- BOOT: power-on"]


def test_a_crash_waits_for_its_stack_and_no_longer() -> None:
    crash = frame(CRASH, 0, struct.pack("<B16I", 2, *[0] * 16))
    parts = [frame(STACK, 0, struct.pack("<IHI", 0x20000000 + 4 * i, 4 * (1 - i), 0)) for i in (0, 1)]
    monitor = Monitor(None)
    assert list(monitor.received(crash + parts[0]))[1:] == []
    assert next(iter(monitor.received(parts[1]))).startswith("-- crashed: bus fault; PC 0x00000000")
    assert list(monitor.silence()) == []
    assert len(received(crash, parts[0], frame(BOOT, 0, b"\x01\x03"))) == 3
    assert received(crash)[-1].startswith("-- crashed: bus fault")


FRAMES = st.builds(frame, st.integers(0, 255), st.integers(0, 0xFFFF), st.binary(max_size=90))


@settings(max_examples=60)
@given(pieces=st.lists(st.one_of(st.binary(max_size=40), FRAMES)))
def test_nonsense_is_told_in_harmless_lines_however_it_arrives(pieces: list[bytes]) -> None:
    at_once = received(b"".join(pieces))
    assert received(*pieces) == at_once
    for line in at_once:
        check_harmless(line)
        assert len(line) < 500


@settings(max_examples=60)
@given(body=st.binary(max_size=249), type_=st.sampled_from([*Message, *(message | RESPONSE for message in Message)]))
def test_every_body_of_every_message_is_decoded_or_called_malformed(body: bytes, type_: int) -> None:
    check_harmless(decode(Frame(type_, 0, body)))


@needs_compiler
def test_crashes_are_told_with_lines_of_the_program_if_it_is_the_one_that_runs() -> None:
    image = FirmwareProject(ROOT / ".hil").build(load_models(ROOT)["gesture"], "int8", AotEngine(), STM32F4)
    crash = frame(CRASH, 0, struct.pack("<B16I", 3, address_range(image, "main").start, *[0] * 15))
    for build_id, warnings in ((image.build_id, 0), (bytes(20), 1)):
        hello = FakeDevice(Image(build_id=build_id), checksum).feed(frame(Message.HELLO, 0, bytes(5)))
        lines = received(hello, crash, elf=image.elf)
        assert len([line for line in lines if "would be wrong" in line]) == warnings
        assert "-- crashed: usage fault in main (main.cpp:" in "\n".join(lines)


def test_the_command_listens_until_the_port_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    name, opened = os.ttyname(slave), SerialLine.open
    os.close(slave)

    def open_and_hear(line: SerialLine) -> Connection:
        connection = opened(line)
        os.write(master, b"hello\n\0" + frame(BOOT, 0, b"\x01\x02"))
        return connection

    def unplug(_monitor: Monitor) -> list[str]:
        os.close(master)
        return []

    monkeypatch.setattr(serial_port, "RETURN_S", 0.0)
    monkeypatch.setattr(SerialLine, "open", open_and_hear)
    monkeypatch.setattr(Monitor, "silence", unplug)
    result = hil("monitor", name)
    said = [line.split(maxsplit=1)[1] for line in result.stdout.splitlines()]
    assert said[:2] == ["<- hello", "<- BOOT: reset pin"]
    assert said[2].startswith(f"-- {name}: the serial line broke")
    assert result.returncode == 1
    assert result.stderr.splitlines()[0] == f"hil: listening to {name}; end with Ctrl-C"
    assert result.stderr.splitlines()[1].startswith(f"hil: {name}: ")


def test_the_command_shows_recorded_traffic(tmp_path: Path) -> None:
    head = Head(
        created="now",
        board="b",
        emulator=None,
        link="uart",
        model="m",
        variant="v",
        engine="e",
        target="t",
        build_id="00",
    )
    with TrafficLog(tmp_path / "some.traffic", head, lambda: 0.0) as log:
        log.add("open")
        log.add(">", frame(Message.STATUS, 1).hex())
        log.add("<", frame(BOOT, 0, b"\x01\x04").hex())
        log.add("broke", "gone\x1b[2J")
    result = hil("monitor", tmp_path / "some.traffic")
    assert [line.strip() for line in result.stdout.splitlines()] == [
        "0.0000 -- recorded now on b: m-v-e-t, build 00",
        "0.0000 -- connection 1",
        "0.0000 -> #1 STATUS",
        "0.0000 <- BOOT: watchdog",
        r"0.0000 -- the line broke: gone\x1b[2J",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["emulated"], "emulated: no serial port; name one"),
        ([""], "no board is named; name emulated, a port, "),
        (["/dev/nowhere"], "board /dev/nowhere: there is no such port"),
        ([f"/dev/{'x' * 300}"], f"board /dev/{'x' * 300}: there is no way to it: File name too long; "),
        (["/dev/nowhere", "--target", "all"], "board /dev/nowhere: there is no such port"),
        (["loop://", "--target", "all"], "--target: name one target"),
        (["/dev/nowhere", "--elf", "/dev/null"], "/dev/null: not an ELF file"),
        (["README.md"], "README.md: no recorded traffic"),
    ],
)
def test_what_cannot_be_watched_is_one_line(arguments: list[str], message: str) -> None:
    result = hil("monitor", *arguments)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"hil: {message}")
