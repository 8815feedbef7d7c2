"""Send and receive frames over a connection; log and count them."""

import collections
import dataclasses
import enum
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

from tflm_hil.device.connection import Connection
from tflm_hil.device.framing import Corrupt, Decoder, Frame, encode
from tflm_hil.device.timeout import Clock
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError, LineError, RefusedError

T = TypeVar("T")

MOST_EVENTS = 1000
"""The most events that are kept: a flood of damaged frames must not fill the memory."""


class EventKind(enum.StrEnum):
    """Faults of the line that the protocol corrects."""

    CORRUPT = "damaged on the way to the host"
    NAK_CORRUPT = "a frame was damaged on the way to the device"
    NAK_GAP = "lost on the way to the device"
    SKIPPED = "its answer was lost"
    TIMEOUT = "no answer in time"
    DUPLICATE = "answered twice"
    RETRY = "sent again"


@dataclasses.dataclass(frozen=True)
class LinkEvent:
    """An event and the sequence number of the request that it concerns (the oldest unanswered one if unknown)."""

    seq: int
    kind: EventKind

    def __str__(self) -> str:
        return f"#{self.seq}: {self.kind}"


@dataclasses.dataclass
class LinkStats:
    """Counts of frames and bytes since the client was created.

    `corrupted` counts damaged frames from the device, `faults` all faults of the line. `events` holds the first
    MOST_EVENTS faults and retries.
    """

    sent: int = 0
    received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    corrupted: int = 0
    retried: int = 0
    duplicates: int = 0
    naks: int = 0
    faults: int = 0
    events: list[LinkEvent] = dataclasses.field(default_factory=list)


class Link:
    """The frame layer of one connection. It does not order or repeat frames."""

    def __init__(self, connection: Connection, log: UartLog, name: str, clock: Clock = time.monotonic) -> None:
        self.log = log
        self.name = name
        self.clock = clock
        self.elf: Path | None = None
        """The file of the image that runs there, if it is known."""
        self.stats = LinkStats()
        self.failure: str | None = None
        """The error that ended the session; None while there is none."""
        self.waited = 0.0
        """Seconds spent waiting for the line. A read counts at most its timeout, even if this process was stopped
        during it."""
        self._connection = connection
        self._decoder = Decoder()
        self._arrived: collections.deque[Frame | Corrupt] = collections.deque()

    def send(self, frames: Sequence[tuple[int, int, bytes]], cut_off: bool = False) -> None:
        """Send (type, seq, body) frames in one write; `cut_off` first sends a delimiter, which ends a partial frame."""
        wire = b"\0" if cut_off else b""
        for type_, seq, body in frames:
            self.log.sent(type_, seq, body)
            wire += encode(type_, seq, body)
        self.stats.sent += len(frames)
        self.send_raw(wire)

    def receive(self, timeout: float) -> Frame | Corrupt | None:
        """Return the next frame that has arrived; None if none was completed within `timeout` seconds."""
        if not self._arrived:
            self._arrived.extend(self._decoder.feed(self.receive_raw(timeout)))
        if not self._arrived:
            return None
        item = self._arrived.popleft()
        self.log.received(item)
        if isinstance(item, Frame):
            self.stats.received += 1
        else:
            self.stats.corrupted += 1
        return item

    def send_raw(self, data: bytes) -> None:
        """Send bytes outside of any frame."""
        started = self.clock()
        try:
            self._connection.write(data)
        except LineError as error:
            self.fail(str(error), LineError)
        self.waited += self.clock() - started
        self.stats.bytes_sent += len(data)

    def receive_raw(self, timeout: float) -> bytes:
        """Return bytes outside of any frame, b"" if none came within `timeout` seconds."""
        started = self.clock()
        try:
            data = self._connection.read(timeout)
        except LineError as error:
            self.fail(str(error), LineError)
        self.waited += min(timeout, self.clock() - started)
        self.stats.bytes_received += len(data)
        return data

    def event(self, seq: int, kind: EventKind) -> None:
        """Record and log an event that concerns request `seq`."""
        event = LinkEvent(seq, kind)
        self.stats.faults += kind != EventKind.RETRY
        if len(self.stats.events) < MOST_EVENTS:
            self.stats.events.append(event)
        self.log.note(str(event))

    def parse(self, parser: Callable[[bytes], T], body: bytes) -> T:
        """Return `parser(body)`; add the tail of the log to a DeviceError."""
        try:
            return parser(body)
        except DeviceError as error:
            self.fail(str(error))

    def fail(self, message: str, kind: type[DeviceError] = DeviceError) -> NoReturn:
        """Raise a `kind` of DeviceError with the tail of the log. Unless it is a refusal, it ends the session."""
        tail = self.log.tail()
        self.log.note(message)
        if not issubclass(kind, RefusedError):
            self.failure = message
        raise kind(message, tail)
