"""What passes on a line, decoded as it comes: frames, text that is none, and where a crash happened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tflm_hil.device.decoding import decode
from tflm_hil.device.device_info import parse_hello
from tflm_hil.device.framing import Corrupt, Decoder, Frame
from tflm_hil.device.messages import RESPONSE, Message, parse_stack
from tflm_hil.device.post_mortem import PostMortem
from tflm_hil.device.text import printable
from tflm_hil.errors import DeviceError
from tflm_hil.firmware.backtrace.program import Program

_TEXT = re.compile(rb"([\t\r\x1b\x20-\x7e\x80-\xff]*\n)+")
"""Lines of text, which a program prints beside the protocol."""

_SHOWN_ID_BYTES = 6

_MOST_BYTES = 4096
"""So many bytes without the end of a frame or of a line are shown as what they are."""


class Monitor:
    """Turns bytes of both directions into lines. `elf` is the file of the image that runs there, if it is known."""

    def __init__(self, elf: Path | None) -> None:
        self._elf = elf
        self._build_id = Program(elf).build_id if elf is not None else b""
        self._host = Decoder()
        self._pending = b""
        self._crashed: PostMortem | None = None

    def sent(self, data: bytes) -> Iterator[str]:
        """Take bytes that go to the device."""
        for item in self._host.feed(data):
            yield f"-> {decode(item) if isinstance(item, Frame) else _damaged(item)}"

    def received(self, data: bytes) -> Iterator[str]:
        """Take bytes that come from the device."""
        *wires, self._pending = (self._pending + data).split(b"\0")
        for wire in wires:
            yield from self._wire(wire)
        if len(self._pending) > _MOST_BYTES:
            wire, self._pending = self._pending, b""
            yield from self._wire(wire)

    def silence(self) -> Iterator[str]:
        """Tell what has waited for more: nothing came for some time, or nothing else will come."""
        if (text := _TEXT.match(self._pending)) is not None:
            self._pending = self._pending[text.end() :]
            yield from _lines(text[0])
        yield from self._explained()

    def _explained(self) -> Iterator[str]:
        if self._crashed is not None:
            sentence, lines = self._crashed.explain(self._elf)
            self._crashed = None
            yield from (f"-- {line}" for line in (f"crashed: {sentence}", *lines))

    def _wire(self, wire: bytes) -> Iterator[str]:
        """Tell what is between two delimiters: a frame, perhaps behind lines of text, or nothing that is known."""
        items = Decoder().feed(wire + b"\0")
        text = _TEXT.match(wire)
        if text is not None and isinstance(items[0], Corrupt):
            yield from _lines(text[0])
            items = Decoder().feed(wire[text.end() :] + b"\0")
        for item in items:
            yield from self._item(item)

    def _item(self, item: Frame | Corrupt) -> Iterator[str]:
        if isinstance(item, Corrupt):
            yield f"<- {_damaged(item)}"
            return
        if item.type != Message.STACK:
            yield from self._explained()
            yield f"<- {decode(item)}"
        try:
            if item.type == Message.CRASH:
                self._crashed = PostMortem(item.body)
            elif item.type == Message.STACK and self._crashed is not None:
                self._crashed.take(parse_stack(item.body))
                if self._crashed.complete:
                    yield from self._explained()
            elif item.type == Message.HELLO | RESPONSE and self._elf is not None:
                yield from self._compared(parse_hello(item.body).build_id)
        except DeviceError as error:
            yield f"-- {error}"

    def _compared(self, build_id: bytes) -> Iterator[str]:
        if build_id != self._build_id:
            ours, theirs = self._build_id[:_SHOWN_ID_BYTES].hex(), build_id[:_SHOWN_ID_BYTES].hex()
            yield f"-- the device runs build {theirs}, but {self._elf} is build {ours}: lines of it would be wrong"


def _lines(text: bytes) -> Iterator[str]:
    return (f"<- {printable(line)}" for line in text.splitlines())


def _damaged(item: Corrupt) -> str:
    shown = printable(item.data) if all(32 <= byte < 127 for byte in item.data) else item.data[:16].hex(" ")
    return f"{item.reason}: {len(item.data)} bytes, {shown}"
