"""Requests in flight: credits, order and retries, as docs/protocol.md rules them.

Sequence numbers are counted without end here and cut to 16 bits on the wire; every number between `oldest` and `next`
is unanswered or has its answer stored, so a 16-bit number from the wire means exactly one of them or is old.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from harness.device.framing import Corrupt, Frame
from harness.device.link import EventKind, Link
from harness.device.messages import (
    RESPONSE,
    Message,
    NakReason,
    name_of,
    parse_boot,
    parse_crash,
    parse_error,
    parse_nak,
)
from harness.device.timeout import Deadline
from harness.errors import RefusedError

_SEQ_MASK = 0xFFFF
_HALF = 0x8000
"""Numbers at least this far ahead are old ones: never are so many requests under way."""

Request = tuple[Message, bytes]
"""Type and body."""


@dataclasses.dataclass
class _Pending:
    type: Message
    body: bytes
    attempts: int = 1
    skipped: bool = False


class Pipeline:
    """One session, from a HELLO on. Any error but a refusal ends it: only another HELLO makes both sides agree.

    A retry counts as an attempt for the one request that caused it, not for those that are sent again in its wake.
    """

    def __init__(self, link: Link, credits_: int, timeout: float, retries: int) -> None:
        self._link = link
        self._credits = credits_
        self._timeout = timeout
        self._retries = retries
        self._deadline = Deadline(timeout, link.clock)
        self._next = 1
        self._pending: dict[int, _Pending] = {}
        self._answers: dict[int, bytes] = {}
        self._refused: str | None = None
        self._went_back_to = 0

    def run(self, requests: Iterable[Request], answered: Callable[[bytes], None]) -> None:
        """Send all requests and pass their responses' bodies, each exactly once and in order, to `answered`.

        Raises RefusedError where the device refuses a request, DeviceError where it is silent, reboots, crashes or
        breaks the protocol.
        """
        waiting = iter(requests)
        self._refused = None
        self._deadline.restart()
        delivered = self._next
        self._fill(waiting)
        while self._pending:
            if (item := self._link.receive(self._deadline.left)) is not None:
                self._handle(item)
            while self._refused is None and delivered in self._answers:
                answered(self._answers.pop(delivered))
                delivered += 1
            if self._refused is None:
                self._fill(waiting)
            if self._pending and self._deadline.expired:
                self._retry_oldest(EventKind.TIMEOUT)
                self._deadline.restart()
        if self._refused is not None:
            self._link.fail(self._refused, RefusedError)

    @property
    def _oldest(self) -> int:
        return next(iter(self._pending), self._next)

    def _fill(self, waiting: Iterator[Request]) -> None:
        """Use the free credits. The device answers from its last `credits` responses, so the oldest limits all."""
        frames = []
        while self._next - self._oldest < self._credits:
            request = next(waiting, None)
            if request is None:
                break
            self._pending[self._next] = _Pending(*request)
            frames.append((request[0], self._next & _SEQ_MASK, request[1]))
            self._next += 1
        if frames:
            self._link.send(frames)

    def _handle(self, item: Frame | Corrupt) -> None:
        if isinstance(item, Corrupt):
            self._event(self._oldest, EventKind.CORRUPT)
        elif item.type == Message.NAK:
            self._nak(*self._link.parse(parse_nak, item.body))
        elif item.type == Message.BOOT:
            cause = self._link.parse(parse_boot, item.body)
            self._link.fail(f"{self._link.name} rebooted in the middle of the session ({cause})")
        elif item.type == Message.CRASH:
            self._link.fail(f"{self._link.name} crashed: {self._link.parse(parse_crash, item.body).describe()}")
        elif item.type not in (Message.LOG, Message.HELLO | RESPONSE):  # HELLO may have been repeated.
            self._response(item)

    def _response(self, frame: Frame) -> None:
        oldest = self._oldest
        seq = oldest + ((frame.seq - oldest) & _SEQ_MASK)
        request = self._pending.get(seq)
        if request is None:
            if self._next <= seq < oldest + _HALF:
                self._link.fail(f"{self._link.name} answered request #{frame.seq}, which was never sent")
            self._link.stats.duplicates += 1
            self._link.event(frame.seq, EventKind.DUPLICATE)
            return
        if frame.type not in (request.type | RESPONSE, Message.ERROR):
            self._link.fail(
                f"{self._link.name} answered request #{frame.seq} {request.type.name} with {name_of(frame.type)}"
            )
        del self._pending[seq]
        self._deadline.restart()
        if frame.type == Message.ERROR:
            self._refused = self._refused or (
                f"{self._link.name} refused request #{frame.seq} {request.type.name}:"
                f" {self._link.parse(parse_error, frame.body)}"
            )
        self._answers[seq] = frame.body
        if seq > oldest and not self._pending[oldest].skipped:
            self._pending[oldest].skipped = True
            self._retry_oldest(EventKind.SKIPPED)

    def _nak(self, expected: int, reason: int) -> None:
        """Go back to the request that the device waits for, once: further NAKs for it are echoes of the same loss."""
        self._link.stats.naks += 1
        oldest = self._oldest
        seq = oldest + ((expected - oldest) & _SEQ_MASK)
        self._event(
            seq if seq < self._next else oldest,
            EventKind.NAK_GAP if reason == NakReason.GAP else EventKind.NAK_CORRUPT,
        )
        if seq in self._pending and seq != self._went_back_to:
            self._went_back_to = seq
            self._count_attempt(seq)
            self._send_again([other for other in self._pending if other >= seq])

    def _retry_oldest(self, why: EventKind) -> None:
        oldest = self._oldest
        self._event(oldest, why)
        self._count_attempt(oldest)
        self._send_again([oldest])

    def _count_attempt(self, seq: int) -> None:
        request = self._pending[seq]
        if request.attempts > self._retries:
            self._link.fail(
                f"{self._link.name} is silent: no answer to request #{seq & _SEQ_MASK} {request.type.name}"
                f" after {request.attempts} attempts, {self._timeout:g} s each: it hangs, or the line is broken"
            )
        request.attempts += 1

    def _send_again(self, seqs: list[int]) -> None:
        for seq in seqs:
            self._link.stats.retried += 1
            self._event(seq, EventKind.RETRY)
        self._link.send([(self._pending[s].type, s & _SEQ_MASK, self._pending[s].body) for s in seqs], cut_off=True)

    def _event(self, seq: int, kind: EventKind) -> None:
        self._link.event(seq & _SEQ_MASK, kind)
