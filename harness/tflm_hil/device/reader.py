"""Read values from the body of a message."""

import struct
from typing import Any

from tflm_hil.device.text import printable
from tflm_hil.errors import DeviceError


class Reader:
    """Reads the body of message `name` from front to back. All methods raise DeviceError if it ends too early."""

    def __init__(self, name: str, body: bytes) -> None:
        self._name = name
        self._body = body
        self._at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """Return the next values; `layout` is a format of `struct`, little endian and without padding."""
        layout = "<" + layout
        return struct.unpack(layout, self.bytes(struct.calcsize(layout)))

    def bytes(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        taken = self._body[self._at : self._at + count]
        if len(taken) < count:
            raise self.malformed(f"it ends after {len(self._body)} bytes")
        self._at += count
        return taken

    def text(self) -> str:
        """Return the next `str`, a length and that many bytes of UTF-8, as `printable` shows it."""
        return printable(self.bytes(self.take("B")[0]))

    @property
    def left(self) -> int:
        """The number of bytes that are left."""
        return len(self._body) - self._at

    def end(self) -> None:
        """Raise DeviceError if bytes are left."""
        if self.left:
            raise self.malformed(f"it has {self.left} bytes too many")

    def malformed(self, what: str) -> DeviceError:
        """Return an error that says what is wrong with this message."""
        return DeviceError(
            f"the device sent a malformed {self._name} message: {what}: was its firmware built from this checkout?"
        )
