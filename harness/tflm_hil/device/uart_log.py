"""A readable log of everything on the serial line."""

import collections
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self, TextIO

from tflm_hil.device.framing import Corrupt, Frame
from tflm_hil.device.messages import Message, name_of
from tflm_hil.device.text import printable
from tflm_hil.device.timeout import Clock
from tflm_hil.errors import HilError

TAIL_LINES = 20
"""The number of lines that an error quotes."""

_ENDING_CHARACTERS = 4_000

_MOST_BYTES = 4 << 20
"""The size at which the file counts as full: enough for 20,000 requests and their answers."""

_KEPT_LINES = 200
_SHOWN_BYTES = 16


class UartLog:
    """A text file, one line a frame: seconds since the log began, direction, sequence number, type, size, first bytes.

    A line shows only the first bytes of a body, so it costs some microseconds at most. Lines reach the file
    immediately, so the file also tells how a killed run ended. When the file is full, further lines are left out;
    `close` adds how many these were, and the last of them. Raises HilError if the file cannot be written.
    """

    def __init__(self, path: Path, clock: Clock = time.monotonic) -> None:
        self.path = path
        self._clock = clock
        self._origin = clock()
        self._lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
        self._bytes = 0
        self._left_out = 0
        self._file: TextIO | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise self._unwritable(error) from None
        self.note(f"log begins {time.strftime('%Y-%m-%d %H:%M:%S %z')}; -> to the device, <- from it")

    def sent(self, type_: int, seq: int, body: bytes) -> None:
        """Record a frame that goes to the device."""
        self._frame("->", type_, seq, body)

    def received(self, item: Frame | Corrupt) -> None:
        """Record what came from the device, a frame or not."""
        if isinstance(item, Frame):
            self._frame("<-", item.type, item.seq, item.body)
        else:
            self._line(f"<- {item.reason}: {len(item.data)} bytes  {_preview(item.data)}")

    def note(self, text: str) -> None:
        """Record an event that is no frame."""
        self._line(f"-- {text}")

    def tail(self, lines: int = TAIL_LINES) -> list[str]:
        """Return the last lines, oldest first."""
        return list(self._lines)[-lines:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; `tail` still works, and also returns lines recorded later."""
        if self._file is not None:
            if self._left_out:
                last = list(self._lines)[-self._left_out :]
                self._write(f"{self._now()} -- {self._left_out} lines left out; the last {len(last)} of them:")
                for line in last:
                    self._write(line)
            self._file.close()
            self._file = None

    def _frame(self, arrow: str, type_: int, seq: int, body: bytes) -> None:
        shown = f"'{printable(body)}'" if type_ == Message.LOG else _preview(body)
        self._line(f"{arrow} #{seq:<5} {name_of(type_):<7} {len(body):>3} bytes  {shown}")

    def _line(self, text: str) -> None:
        line = f"{self._now()} {text}".rstrip()
        self._lines.append(line)
        if self._bytes < _MOST_BYTES:
            self._write(line)
        else:
            if not self._left_out:
                self._write(f"{self._now()} -- this file is full: the next lines are left out")
            self._left_out += 1

    def _now(self) -> str:
        return f"{self._clock() - self._origin:10.4f}"

    def _write(self, line: str) -> None:
        self._bytes += len(line) + 1
        if self._file is not None:
            try:
                self._file.write(line + "\n")
            except OSError as error:
                raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> HilError:
        return HilError(
            f"{self.path}: cannot write the UART log: {error.strerror}; choose another folder with --hil-report"
        )


def ending(lines: Sequence[str]) -> str:
    """Return the last of `lines`, about 4 KB of them, whole and safe to show whatever wrote them."""
    kept: list[str] = []
    room = _ENDING_CHARACTERS
    for line in reversed(lines):
        safe = "".join(character if character.isprintable() else "?" for character in line)
        room -= len(safe) + 1
        if room < 0:
            break
        kept.append(safe)
    return "\n".join(reversed(kept))


def _preview(data: bytes) -> str:
    """Return the first bytes, as text if they are text: the log should show what a device prints."""
    head = data[:_SHOWN_BYTES]
    text = data[: 4 * _SHOWN_BYTES]
    if len(data) >= 4 and all(32 <= byte < 127 or byte in b"\r\n\t" for byte in text):
        return f"'{printable(text)}'" + ("..." if len(data) > len(text) else "")
    return head.hex(" ") + (" ..." if len(data) > len(head) else "")
