"""Requests in flight: credits, order and retries, as docs/protocol.md rules them.

Sequence numbers are counted without end here and cut to 16 bits on the wire; every number between `oldest` and `next`
is unanswered or has its answer stored, so a 16-bit number from the wire means exactly one of them or is old.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from tflm_hil.device.framing import Corrupt, Frame, wire_size
from tflm_hil.device.link import EventKind, Link
from tflm_hil.device.messages import (
    RESPONSE,
    Message,
    NakReason,
    name_of,
    parse_boot,
    parse_crash,
    parse_error,
    parse_nak,
)
from tflm_hil.device.pace import Pace
from tflm_hil.device.round_trip import RoundTrip
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import RefusedError

_SEQ_MASK = 0xFFFF
_HALF = 0x8000
"""Numbers at least this far ahead are old ones: never are so many requests under way."""

_BATCH = 4
"""Frames that are sent before it is looked whether something has arrived: the buffers in between are small."""

_LEAST_WINDOW = 2.0
"""Requests under way on the worst line: the answer to the second one tells that the first one's was lost."""

_TICK_S = 0.001
"""What comes sooner after a retry than this was under way already."""

_FLOOD = 100
"""Damaged frames without an answer among them that are more than a bad line."""

_DROPPED = (EventKind.NAK_GAP, EventKind.NAK_CORRUPT)
"""Reasons to send again that say that the device has not taken the first copy."""

Request = tuple[Message, bytes]
"""Type and body."""

Answered = Callable[[bytes], float]
"""Takes the body of a response; returns the seconds that the device says it has worked for it, 0 if it says nothing."""


@dataclasses.dataclass
class _Pending:
    """`retried` is when, and `reason` why, it was last the cause of a retry; up to `echoes` NAKs say it once more.

    `sent` is when the only copy that can have been executed was sent; None where it may have been one of several.
    """

    type: Message
    body: bytes
    sent: float | None
    copies: int = 1
    attempts: int = 1
    retried: float = 0.0
    reason: EventKind | None = None
    echoes: int = 0

    def sent_again(self, when: float | None) -> None:
        """Count a copy, sent at `when` if the device has certainly dropped the first one."""
        self.copies += 1
        self.sent = when if self.copies == 2 else None


@dataclasses.dataclass
class _Noise:
    """What has come since the last answer that was none."""

    naks: int = 0
    damaged: int = 0
    reason: str = ""


class Pipeline:
    """One session, from a HELLO on. Any error but a refusal ends it: only another HELLO makes both sides agree.

    `timeout` is the longest time-out of a request: from the first answer on it follows the measured round trip. The
    device is given up after no answer for `retries` + 1 times `timeout`, or 8 * (`retries` + 1) attempts for one
    request. A retry counts as an attempt for the one request that caused it, not for those sent in its wake.

    All behind a request that was lost on its way to the device have to be sent again. So on a bad line there are fewer
    requests under way than credits: half as many after each loss, one more after as many answers (additive increase,
    multiplicative decrease, as in RFC 5681).
    """

    def __init__(self, link: Link, credits_: int, timeout: float, retries: int) -> None:
        self._link = link
        self._credits = credits_
        self._window = float(credits_)
        self._most_attempts = 8 * (retries + 1)
        self._round_trip = RoundTrip(timeout)
        self._deadline = Deadline(timeout, link.clock)
        self._patience = Deadline(timeout * (retries + 1), link.clock)
        self._next = 1
        self._pending: dict[int, _Pending] = {}
        self._answers: dict[int, bytes] = {}
        self._refused: str | None = None
        self._noise = _Noise()

    def run(self, requests: Iterable[Request], answered: Answered) -> None:
        """Send all requests and pass their responses' bodies, each exactly once and in order, to `answered`.

        Raises RefusedError where the device refuses a request, DeviceError where it is silent, reboots, crashes,
        breaks the protocol or takes longer than the amount of data explains.
        """
        waiting = iter(requests)
        pace = Pace(self._link)
        self._refused = None
        delivered = self._next
        self._progress()
        while (more := self._refused is None and self._fill(waiting)) or self._pending:
            if (item := self._link.receive(0.0 if more else self._deadline.left)) is not None:
                self._handle(item)
            while self._refused is None and delivered in self._answers:
                body = self._answers.pop(delivered)
                pace.answered(wire_size(len(body)), answered(body))
                delivered += 1
            if self._pending and self._deadline.expired:
                self._time_out()
            pace.check()
        if self._refused is not None:
            self._link.fail(self._refused, RefusedError)

    @property
    def _oldest(self) -> int:
        return next(iter(self._pending), self._next)

    def _progress(self) -> None:
        """An answer has come, or all begins."""
        self._round_trip.answered()
        self._deadline.restart(self._round_trip.timeout)
        self._patience.restart()
        self._noise = _Noise()

    def _fill(self, waiting: Iterator[Request]) -> bool:
        """Use some of the free credits; return whether there may be more of them to use.

        The device answers from its last `credits` responses, so the oldest limits all.
        """
        frames: list[tuple[int, int, bytes]] = []
        while self._next - self._oldest < int(self._window) and len(frames) < _BATCH:
            request = next(waiting, None)
            if request is None:
                break
            self._pending[self._next] = _Pending(*request, self._link.clock())
            frames.append((request[0], self._next & _SEQ_MASK, request[1]))
            self._next += 1
        if frames:
            self._link.send(frames)
        return len(frames) == _BATCH

    def _handle(self, item: Frame | Corrupt) -> None:
        if isinstance(item, Corrupt):
            # Answers come in order, so this was the oldest's; if it was a NAK, the oldest is in demand as well.
            self._noise.damaged += 1
            if self._pending and self._is_news(self._oldest, EventKind.CORRUPT):
                self._retry([self._oldest], EventKind.CORRUPT)
            else:
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
            self._event(frame.seq, EventKind.DUPLICATE)
            return
        if frame.type not in (request.type | RESPONSE, Message.ERROR):
            self._link.fail(
                f"{self._link.name} answered request #{frame.seq} {request.type.name} with {name_of(frame.type)}"
            )
        del self._pending[seq]
        if request.sent is not None:
            self._round_trip.measured(self._link.clock() - request.sent)
        self._progress()
        self._window = min(self._credits, self._window + 1 / self._window)
        if frame.type == Message.ERROR:
            self._refused = self._refused or (
                f"{self._link.name} refused request #{frame.seq} {request.type.name}:"
                f" {self._link.parse(parse_error, frame.body)}"
            )
        self._answers[seq] = frame.body
        if seq > oldest and self._is_news(oldest, EventKind.SKIPPED):
            self._retry([oldest], EventKind.SKIPPED)

    def _nak(self, expected: int, reason: int) -> None:
        """Go back to the request that the device waits for, unless this NAK is an echo of a loss that is mended."""
        self._link.stats.naks += 1
        self._noise.naks += 1
        gap = reason == NakReason.GAP
        self._noise.reason = f"it expects request #{expected}" if gap else "it received a damaged frame"
        oldest = self._oldest
        seq = oldest + ((expected - oldest) & _SEQ_MASK)
        kind = EventKind.NAK_GAP if gap else EventKind.NAK_CORRUPT
        if seq in self._pending and self._is_news(seq, kind):
            self._retry([other for other in self._pending if other >= seq], kind)
            self._deadline.restart(self._round_trip.timeout)
            self._window = max(min(_LEAST_WINDOW, self._credits), self._window / 2)
        else:
            self._event(seq if seq < self._next else oldest, kind)

    def _is_news(self, seq: int, why: EventKind) -> bool:
        """Whether what tells of this loss cannot have been under way already when `seq` was last sent again."""
        request = self._pending[seq]
        nak = why in _DROPPED
        if request.reason in (None, EventKind.TIMEOUT):
            return True
        if why is EventKind.SKIPPED and request.reason in _DROPPED:
            return True
        # A device tells at most once of each of the frames that were behind the one that was lost.
        request.echoes -= nak
        if nak and request.reason in _DROPPED and request.echoes < 0:
            return True
        return self._link.clock() - request.retried >= max(_TICK_S, self._round_trip.smoothed)

    def _time_out(self) -> None:
        self._round_trip.expired()
        self._retry([self._oldest], EventKind.TIMEOUT)
        self._deadline.restart(self._round_trip.timeout)

    def _retry(self, seqs: list[int], why: EventKind) -> None:
        """Send requests again because of the first of them. Raises DeviceError where that has been done enough."""
        cause = self._pending[seqs[0]]
        self._event(seqs[0], why)
        if self._patience.expired or cause.attempts >= self._most_attempts:
            self._link.fail(f"{self._link.name} {self._explain(seqs[0], cause)}")
        cause.attempts += 1
        cause.retried, cause.reason = self._link.clock(), why
        cause.echoes = len(seqs) - 1
        for seq in seqs:
            self._pending[seq].sent_again(self._link.clock() if why in _DROPPED else None)
            self._link.stats.retried += 1
            self._event(seq, EventKind.RETRY)
        self._link.send([(self._pending[s].type, s & _SEQ_MASK, self._pending[s].body) for s in seqs], cut_off=True)

    def _explain(self, seq: int, request: _Pending) -> str:
        what = f"request #{seq & _SEQ_MASK} {request.type.name}"
        tried = f"sent {request.attempts} times in {self._patience.passed:.1f} s"
        noise = self._noise
        if noise.damaged >= _FLOOD:
            return (
                f"floods the line: {noise.damaged:,} damaged frames and no answer to {what}, {tried}:"
                " its firmware prints to this port, or the baud rate is wrong"
            )
        if noise.naks >= request.attempts - 1:
            return (
                f"answers every request with NAK, {noise.naks} times since its last answer: {noise.reason};"
                f" {what} was {tried}: the line is bad, or the firmware is not from this checkout"
            )
        return f"is silent: no answer to {what}, {tried}: it hangs, or the line is broken"

    def _event(self, seq: int, kind: EventKind) -> None:
        self._link.event(seq & _SEQ_MASK, kind)
