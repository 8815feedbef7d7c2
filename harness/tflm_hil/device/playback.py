"""A recorded device: what it sent once is what it sends again, as soon as the host has sent what it sent before that.

Times are not played back, and neither are retries: both depend on how the line and the host did that day. So what is
held against the recording are requests, each counted once, and what is sent again is passed over.
"""

from __future__ import annotations

import collections
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tflm_hil.device.framing import Decoder, Frame, encode
from tflm_hil.device.messages import RESPONSE, Message, name_of
from tflm_hil.device.traffic import Entry
from tflm_hil.errors import HilError, LineError

_NONCE = slice(1, 5)
"""Where HELLO and its response have a number that is another one in each session."""

_REMEMBERED = 512
"""A request that is the same as one of so many before it is that one, sent again: more are never in flight."""


@dataclass(frozen=True)
class _Piece:
    """Bytes of the device that arrived at once, part of one frame: of number `frame`, from byte `start` on.

    The device had received `requests`, and `raw` bytes outside of frames.
    """

    data: bytes
    frame: int
    start: int
    requests: int
    raw: int


class _Requests:
    """Finds the requests in what a host sends, each of them once.

    `nonce` is that of its last HELLO, `raw` the number of bytes outside of frames.
    """

    def __init__(self) -> None:
        self.nonce = b""
        self.raw = 0
        self._decoder = Decoder()
        self._recent: collections.deque[Frame] = collections.deque(maxlen=_REMEMBERED)
        self._raw_left = 0

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the requests that the next bytes complete, without their nonces."""
        while data:
            skipped = min(self._raw_left, len(data))
            self._raw_left -= skipped
            self.raw += skipped
            end = data.find(b"\0", skipped) + 1 or len(data)
            for item in self._decoder.feed(data[skipped:end]):
                if isinstance(item, Frame) and (request := self._new(item)) is not None:
                    yield request
            data = data[end:]

    def _new(self, frame: Frame) -> Frame | None:
        if frame.type == Message.HELLO:
            self.nonce = frame.body[_NONCE]
            frame = frame._replace(body=_without_nonce(frame.body))
            again = bool(self._recent) and self._recent[-1] == frame
            if not again:  # Another session counts from 1 again.
                self._recent.clear()
        else:
            again = frame in self._recent
        if again:
            return None
        self._recent.append(frame)
        if frame.type == Message.ECHO:  # Raw bytes follow, which are no frames.
            self._raw_left = int.from_bytes(frame.body, "little")
        return frame


class PlaybackConnection:
    """See Connection; `entries` are those of one connection of the file `name`.

    Raises HilError, with its number, for a request that is not the one that was recorded. `wait` passes the time, in
    seconds, in which the device was silent.
    """

    def __init__(self, entries: Sequence[Entry], name: str, wait: Callable[[float], None] = time.sleep) -> None:
        self._name = name
        self._wait = wait
        self._recorded: list[Frame] = []
        self._pieces: collections.deque[_Piece] = collections.deque()
        self._greetings: dict[int, Frame] = {}
        self._answered: dict[int, int] = {}
        """The frames that are responses, each with the number of requests up to the one that it answers."""
        self._broke = ""
        self._load(entries)
        self._requests = _Requests()
        self._count = 0

    def read(self, timeout: float) -> bytes:
        """See Connection. Waits where the device was silent."""
        if data := self._due() or (self._out_of_turn() if timeout > 0 else b""):
            return data
        if self._broke and not self._pieces:
            raise LineError(self._broke)
        self._wait(timeout)
        return b""

    def write(self, data: bytes) -> None:
        """See Connection."""
        for request in self._requests.feed(data):
            self._count += 1
            if self._count > len(self._recorded):
                raise HilError(
                    f"{self._name}: the recording ends before request {_told(request)}: run what was run then"
                )
            if request != (recorded := self._recorded[self._count - 1]):
                raise HilError(
                    f"{self._name}: request {_told(request)} differs from the recording, which has"
                    f" {_difference(request, recorded)}: run what was run then, with the same files"
                )

    def close(self) -> None:
        """See Connection."""

    def _due(self) -> bytes:
        """Return what the device sends by now, in the order of then.

        To answer a request it must have received that, and for anything else as many as it had then.
        """
        data = b""
        while self._pieces:
            piece = self._pieces[0]
            requests = self._answered.get(piece.frame, piece.requests)
            if requests > self._count or piece.raw > self._requests.raw:
                break
            data += self._current(self._pieces.popleft())
        return data

    def _out_of_turn(self) -> bytes:
        """Return the next frame that answers a request, or no request: a host that waits gets it.

        It may have fewer requests in flight than it had then, and so wait for what came later.
        """
        for piece in self._pieces:
            if self._answered.get(piece.frame, 0) <= self._count:
                taken = [each for each in self._pieces if each.frame == piece.frame]
                self._pieces = collections.deque(each for each in self._pieces if each.frame != piece.frame)
                return b"".join(map(self._current, taken))
        return b""

    def _load(self, entries: Sequence[Entry]) -> None:
        requests, frames = _Requests(), [b""]
        for entry in entries:
            if entry.kind == ">":
                self._recorded += requests.feed(entry.data)
            elif entry.kind == "broke":
                self._broke = entry.text
            elif entry.kind == "<":
                for part in re.findall(rb"[^\0]*\0|[^\0]+", entry.data):
                    number, start = len(frames) - 1, len(frames[-1])
                    self._pieces.append(_Piece(part, number, start, len(self._recorded), requests.raw))
                    frames[-1] += part
                    if part.endswith(b"\0"):
                        frames.append(b"")
        at = {piece.frame: piece.requests for piece in self._pieces}
        for number, frame in enumerate(frames):
            for item in Decoder().feed(frame):
                if isinstance(item, Frame):
                    self._know(number, item, at[number])

    def _know(self, number: int, frame: Frame, requests: int) -> None:
        """Find out what a frame of the device is: it arrived when so many requests had been sent."""
        if frame.type == Message.HELLO | RESPONSE and len(frame.body) >= _NONCE.stop:
            self._greetings[number] = frame
        for index in range(requests - 1, max(-1, requests - 1 - _REMEMBERED), -1):
            request = self._recorded[index]
            if request.seq == frame.seq and frame.type in (request.type | RESPONSE, Message.ERROR):
                self._answered[number] = index + 1
                break

    def _current(self, piece: _Piece) -> bytes:
        """Return the bytes; those of an answer to HELLO with the number of this session's."""
        if (frame := self._greetings.get(piece.frame)) is None:
            return piece.data
        body = frame.body[: _NONCE.start] + self._requests.nonce + frame.body[_NONCE.stop :]
        return encode(frame.type, frame.seq, body)[piece.start : piece.start + len(piece.data)]


def _without_nonce(body: bytes) -> bytes:
    return body[: _NONCE.start] + bytes(len(body[_NONCE])) + body[_NONCE.stop :]


def _told(request: Frame) -> str:
    return f"#{request.seq} {name_of(request.type)}"


def _difference(ours: Frame, theirs: Frame) -> str:
    """What the recording has instead: another request, or the first byte that is another one."""
    if (ours.type, ours.seq) != (theirs.type, theirs.seq):
        return _told(theirs)
    if len(ours.body) != len(theirs.body):
        return f"{len(theirs.body)} bytes, not {len(ours.body)}"
    at = next(at for at, pair in enumerate(zip(ours.body, theirs.body, strict=True)) if pair[0] != pair[1])
    return f"0x{theirs.body[at]:02x} at byte {at}, not 0x{ours.body[at]:02x}"
