"""A second implementation of the device, written from docs/protocol.md alone, to check the client against that page.

It uses nothing of tflm_hil.device, not even for framing.
"""

from __future__ import annotations

import enum
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from support.fake_framing import cobs_decode, crc16, frame

HELLO, BEGIN, SAMPLES, STATUS, TENSOR, ECHO, RESET, FAULT, WRITE, INVOKE, READ, DESCRIBE, SENSE = range(1, 14)
BOOT, CRASH, LOG, NAK, STACK, ERROR = 0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xFF
RESPONSE = 0x80
CORRUPT, GAP = 1, 2
DWT = 1

REQUESTS_BEFORE_TROUBLE = 6
"""The number of requests after HELLO that a device answers before it misbehaves in the middle of a session."""

Infer = Callable[[NDArray[np.int16]], bytes]
"""Takes a window, int16[window, channels]; returns the bytes of all outputs."""

InferTensors = Callable[[list[bytes]], list[bytes]]
"""Takes the bytes of each input; returns the bytes of each output."""


Sense = Callable[[], bytes | str]
"""Returns the next row of a sensor, or why there is none."""


class Misbehaviour(enum.StrEnum):
    SILENT = "silent"
    GARBAGE = "garbage"
    PROTOCOL = "protocol"
    REBOOT = "reboot"
    CRASH = "crash"
    HANG = "hang"
    LIE = "lie"
    COUNT_BACKWARDS = "count backwards"
    FLOOD = "flood"
    LEAVE = "leave"


@dataclass(frozen=True)
class Tensor:
    type: int
    shape: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0


@dataclass(frozen=True)
class Image:
    """The content of HELLO."""

    window: int = 4
    stride: int = 2
    channels: int = 3
    inputs: tuple[Tensor, ...] = (Tensor(9, (1, 12), 0.25, -3),)
    outputs: tuple[Tensor, ...] = (Tensor(9, (1, 4), 0.5, 7),)
    build_id: bytes = bytes(range(20))
    model_hash: bytes = bytes(range(8))
    debug: bool = False
    credits: int = 4
    max_body: int = 249
    overhead_ticks: int = 12
    calibration_instructions: int = 1024
    calibration_ticks: int = 1088
    arena_bytes: int = 320
    engine: str = "aot"
    engine_version: str = "0 (fake)"
    target: str = "stm32f4"


def _text(value: str) -> bytes:
    encoded = value.encode()
    return bytes([len(encoded)]) + encoded


@dataclass
class FakeDevice:
    """A device without a line; `gone` is whether it has left that.

    `executed` holds the sequence numbers since HELLO in the order of execution. Ticks depend only on the index of the
    window; they have no meaning. Two interrupts come in each inference.
    """

    image: Image
    infer: Infer
    misbehaviour: Misbehaviour | None = None
    infer_tensors: InferTensors | None = None
    sense: Sense | None = None
    executed: list[int] = field(default_factory=list)
    gone: bool = False
    before_trouble: int = REQUESTS_BEFORE_TROUBLE
    _received: bytearray = field(default_factory=bytearray)
    _expected: int = 1
    _responses: deque[tuple[int, bytes]] = field(default_factory=deque)
    _beyond_gap: int | None = None
    _inputs: dict[int, bytearray] = field(default_factory=dict)
    _outputs: list[bytes] = field(default_factory=list)
    _rows: list[bytes] = field(default_factory=list)
    _first_row: int = 0
    _windows: int = 0
    _windows_ever: int = 0
    _bad_frames: int = 0
    _echo_left: int = 0
    _dead: bool = False

    def boot(self, cause: int = 1) -> bytes:
        """Reset all state; return what the device sends at boot."""
        self._received.clear()
        self._begin_session()
        self._windows_ever = self._bad_frames = self._echo_left = 0
        return b"" if self.misbehaviour in (Misbehaviour.SILENT, Misbehaviour.GARBAGE) else self._boot_frame(cause)

    def crash(self) -> bytes:
        """Run into a fault and return what is sent: the device reports it and resets itself."""
        return self._crash_frame() + self.boot(cause=3)

    def hang(self) -> None:
        """Answer nothing from now on."""
        self._dead = True

    def feed(self, data: bytes) -> bytes:
        """Receive bytes and return what the device sends."""
        if self.misbehaviour == Misbehaviour.SILENT or self._dead:
            return b""
        if self.misbehaviour == Misbehaviour.GARBAGE:
            return b"temperature: 21.5 C\r\n"
        out = b""
        while data and not self._dead:
            if self._echo_left:
                echoed, data = data[: self._echo_left], data[self._echo_left :]
                self._echo_left -= len(echoed)
                out += echoed
                continue
            end = data.find(0)
            if end < 0:
                self._received += data
                break
            wire, data = bytes(self._received) + data[:end], data[end + 1 :]
            self._received.clear()
            if wire:
                out += self._wire(wire)
        return out

    def _wire(self, wire: bytes) -> bytes:
        try:
            packet = cobs_decode(wire)
        except ValueError:
            packet = b""
        if not 5 <= len(packet) <= self.image.max_body + 5 or crc16(packet[:-2]) != int.from_bytes(
            packet[-2:], "little"
        ):
            self._bad_frames += 1
            return self._nak(CORRUPT)
        type_, seq = struct.unpack_from("<BH", packet)
        return self._packet(type_, seq, packet[3:-2])

    def _packet(self, type_: int, seq: int, body: bytes) -> bytes:
        if type_ == HELLO:
            self._begin_session()
            return frame(HELLO | RESPONSE, 0, self._hello(body))
        ahead = (seq - self._expected) & 0xFFFF
        if ahead >= 0x8000:
            return b"".join(response for known, response in self._responses if known == seq)
        if ahead:
            reported, self._beyond_gap = self._beyond_gap is not None and ahead > self._beyond_gap, ahead
            return b"" if reported else self._nak(GAP)
        self._beyond_gap = None
        self._expected = (self._expected + 1) & 0xFFFF
        if len(self.executed) == self.before_trouble and self.misbehaviour is not None:
            trouble = self._trouble()
            if trouble is not None:
                return trouble
        self.executed.append(seq)
        response = self._execute(type_, seq, body)
        self._responses.append((seq, response))
        while len(self._responses) > self.image.credits:
            self._responses.popleft()
        return response + self._afterwards(type_, body)

    def _execute(self, type_: int, seq: int, body: bytes) -> bytes:
        def done(content: bytes = b"") -> bytes:
            return frame(type_ | RESPONSE, seq, content)

        def refused(reason: int, text: str) -> bytes:
            return frame(ERROR, seq, bytes([reason]) + _text(text))

        if type_ == BEGIN:
            self._forget_rows()
            return done()
        if type_ == SAMPLES:
            if not self.image.window:
                return refused(3, "no windows")
            row = 2 * self.image.channels
            return refused(2, f"{len(body)} bytes are no rows") if len(body) % row else done(self._samples(body, row))
        if type_ == SENSE:
            if self.sense is None:
                return refused(3, "no sensor")
            sensed = [self.sense() for _ in range(body[0])]
            for problem in sensed:
                if isinstance(problem, str):
                    return refused(4, problem)
            content = b"".join(row for row in sensed if isinstance(row, bytes))
            return done(self._samples(content, 2 * self.image.channels) + content)
        if type_ == STATUS:
            return done(struct.pack("<6I", 512, 4096, self._bad_frames, 0, self._windows_ever, 2 * self._windows_ever))
        if type_ == TENSOR:
            if not self.image.debug:
                return refused(3, "tensors")
            index, offset, length = struct.unpack("<HIB", body)
            content = bytes((index + i) & 0xFF for i in range(1000))
            return done(struct.pack("<I", len(content)) + content[offset : offset + length])
        if type_ == WRITE:
            index, offset = struct.unpack_from("<BI", body)
            memory = self._inputs.setdefault(index, bytearray())
            memory[offset : offset + len(body) - 5] = body[5:]
            return done()
        if type_ == INVOKE:
            return done(self._invoke())
        if type_ == READ:
            index, offset, length = struct.unpack("<BIB", body)
            content = self._outputs[index]
            return done(struct.pack("<I", len(content)) + content[offset : offset + length])
        if type_ == DESCRIBE:
            return done(self._describe(int.from_bytes(body, "little"), self.image.max_body))
        if type_ in (ECHO, RESET, FAULT):
            return done()
        return refused(1, f"type {type_}")

    def _afterwards(self, type_: int, body: bytes) -> bytes:
        if type_ == ECHO:
            self._echo_left = int.from_bytes(body, "little")
        elif type_ == RESET:
            return self.boot(cause=3)
        elif type_ == FAULT:
            self._dead = True
            return b"" if body[0] == 2 else self._crash_frame()
        return b""

    def _invoke(self) -> bytes:
        """Run the network once and forget its inputs, because an engine may have overwritten their memory."""
        assert self.infer_tensors is not None
        self._outputs = self.infer_tensors([bytes(content) for _, content in sorted(self._inputs.items())])
        if self.misbehaviour == Misbehaviour.LIE:
            self._outputs[0] = bytes([self._outputs[0][0] ^ 0x01]) + self._outputs[0][1:]
        self._inputs.clear()
        self._windows_ever += 1
        return struct.pack("<I", self.image.overhead_ticks + 8000)

    def _samples(self, body: bytes, row: int) -> bytes:
        window, stride = self.image.window, self.image.stride
        self._rows += [body[i : i + row] for i in range(0, len(body), row)]
        first, results = self._windows, b""
        while len(self._rows) - self._first_row >= window:
            rows = b"".join(self._rows[self._first_row : self._first_row + window])
            outputs = self.infer(np.frombuffer(rows, "<i2").reshape(window, self.image.channels))
            if self.misbehaviour == Misbehaviour.LIE:
                outputs = bytes([outputs[0] ^ 0x01]) + outputs[1:]
            overhead = 1 << 31 if self.misbehaviour == Misbehaviour.COUNT_BACKWARDS else self.image.overhead_ticks
            results += struct.pack("<II", overhead + 900, overhead + 8000 + self._windows % 7) + outputs
            self._first_row += stride
            self._windows += 1
            self._windows_ever += 1
        return struct.pack("<IB", first, self._windows - first) + results

    def _trouble(self) -> bytes | None:
        if self.misbehaviour == Misbehaviour.REBOOT:
            return self.boot(cause=4)
        if self.misbehaviour in (Misbehaviour.CRASH, Misbehaviour.HANG):
            self._dead = True
            return self._crash_frame() if self.misbehaviour == Misbehaviour.CRASH else b""
        if self.misbehaviour == Misbehaviour.FLOOD:
            return b"printf\0" * 200
        if self.misbehaviour == Misbehaviour.LEAVE:
            self._dead = self.gone = True
            return b""
        return None

    def _begin_session(self) -> None:
        self._expected = 1
        self._responses.clear()
        self.executed.clear()
        self._beyond_gap = None
        self._forget_rows()

    def _forget_rows(self) -> None:
        self._rows.clear()
        self._first_row = self._windows = 0

    def _nak(self, reason: int) -> bytes:
        return frame(NAK, 0, struct.pack("<HB", self._expected, reason))

    def _boot_frame(self, cause: int) -> bytes:
        return frame(BOOT, 0, bytes([self._protocol, cause]))

    def _crash_frame(self) -> bytes:
        """A CRASH for an undefined instruction: CFSR.UNDEFINSTR, HFSR.FORCED."""
        registers = (0x08001234, 0x08000FED, 0x61000000, 1 << 16, 1 << 30, 0xE000ED34, 0xE000ED38, 0x2001FF80)
        return frame(CRASH, 0, struct.pack("<B16I", 3, *registers, *[0] * 8)) + frame(
            STACK, 0, struct.pack("<IH", 0, 0)
        )

    @property
    def _protocol(self) -> int:
        return 2 if self.misbehaviour == Misbehaviour.PROTOCOL else 1

    def _hello(self, body: bytes) -> bytes:
        image = self.image
        content = struct.pack("<B", self._protocol) + body[1:5]
        content += struct.pack("<BBHBI", image.debug, image.credits, image.max_body, DWT, 168_000_000)
        content += struct.pack("<III", image.overhead_ticks, image.calibration_instructions, image.calibration_ticks)
        content += struct.pack("<HHBI", image.window, image.stride, image.channels, image.arena_bytes)
        content += image.model_hash + image.build_id
        content += _text(image.engine) + _text(image.engine_version) + _text(image.target)
        content += struct.pack("<BB", len(image.inputs), len(image.outputs))
        return content + self._describe(0, image.max_body - len(content))

    def _describe(self, first: int, room: int) -> bytes:
        content = b""
        for tensor in (self.image.inputs + self.image.outputs)[first:]:
            one = struct.pack(f"<BB{len(tensor.shape)}H", tensor.type, len(tensor.shape), *tensor.shape)
            one += struct.pack("<fi", tensor.scale, tensor.zero_point)
            if len(content) + len(one) > room:
                break
            content += one
        return content
