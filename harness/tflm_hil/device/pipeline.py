"""Requests in flight: credits, order and retries, by the rules of docs/protocol.md.

Sequence numbers do not wrap here; only their low 16 bits are sent. Every number from `_oldest` up to `_next` is
unanswered or has its answer stored, so 16 bits from the wire stand for exactly one of them, or for an older one.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator

from tflm_hil.device import post_mortem
from tflm_hil.device.framing import Corrupt, Frame, wire_size
from tflm_hil.device.link import EventKind, Link
from tflm_hil.device.messages import (
    RESPONSE,
    Message,
    NakReason,
    name_of,
    parse_boot,
    parse_error,
    parse_nak,
)
from tflm_hil.device.pace import Pace
from tflm_hil.device.round_trip import RoundTrip
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import RefusedError

_SEQ_MASK = 0xFFFF
_HALF = 0x8000
"""Numbers at least this far ahead are old ones: there are never this many requests in flight."""

_BATCH = 4
"""Frames sent before the next look at what has arrived: the buffers on the way are small."""

_LEAST_WINDOW = 2.0
"""Requests in flight on the worst line: the answer to the second one reveals that the answer to the first was lost."""

_TICK_S = 0.001
"""Whatever arrives sooner than this after a retry was sent before the retry."""

_FLOOD = 100
"""Damaged frames in a row, without an answer among them, that a bad line alone does not explain."""

_CERTAIN = 2
"""NAKs that show a session without memory: a single one may have been damaged in a way that its CRC does not show."""

_DROPPED = (EventKind.NAK_GAP, EventKind.NAK_CORRUPT)
"""Reasons for a retry that tell that the device has dropped the first copy."""

Request = tuple[Message, bytes]
"""Type and body."""

Answered = Callable[[bytes], float]
"""Takes the body of a response; returns the seconds of work that the device reports for it, 0 if it reports none."""


@dataclasses.dataclass
class _Pending:
    """A request without an answer.

    `retried` is when it last caused a retry, and `reason` why; up to `echoes` further NAKs are about the same loss.
    `sent` is when the only copy that can have been executed was sent; None if it may have been one of several.
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
        """Count another copy. `when` it was sent, if the device has certainly dropped the first copy, else None."""
        self.copies += 1
        self.sent = when if self.copies == 2 else None


@dataclasses.dataclass
class _Noise:
    """What has arrived since the last answer: NAKs, those from another session, damaged frames, why the last NAK."""

    naks: int = 0
    forgetful: int = 0
    damaged: int = 0
    reason: str = ""


class Pipeline:
    """One session that HELLO has opened. Any error except a refusal ends it; the next one needs another HELLO.

    `timeout` is the longest timeout of a request, in seconds; from the first answer on, timeouts follow the measured
    round trip. The pipeline gives up after (`retries` + 1) * `timeout` seconds without an answer, or after
    8 * (`retries` + 1) attempts at one request. A retry counts as an attempt of the request that caused it only, not of
    the requests that are sent again with it.

    After a request was lost on the way to the device, all later requests have to be sent again. On a bad line the
    pipeline therefore uses fewer credits: half as many after each loss, one more after a full window of answers
    (additive increase, multiplicative decrease, as in RFC 5681).
    """

    def __init__(self, link: Link, credits_: int, timeout: float, retries: int) -> None:
        self._link = link
        self._credits = credits_
        self._window = float(credits_)
        self._most_attempts = 8 * (retries + 1)
        self._round_trip = RoundTrip(timeout)
        self._deadline = Deadline(timeout, link.clock)
        self._longest = timeout * (retries + 1)
        self._patience = Deadline(self._longest, link.clock)
        self._next = 1
        self._pending: dict[int, _Pending] = {}
        self._answers: dict[int, bytes] = {}
        self._refused: str | None = None
        self._noise = _Noise()

    def run(self, requests: Iterable[Request], answered: Answered) -> None:
        """Send all requests and pass the body of each response to `answered`, exactly once and in order.

        Raises RefusedError if the device refuses a request, and DeviceError if it is silent, reboots, crashes, breaks
        the protocol or takes longer than the amount of data explains.
        """
        waiting = iter(requests)
        pace = Pace(self._link, self._longest)
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
        """Start all waiting anew: an answer has arrived, or `run` begins."""
        self._round_trip.answered()
        self._deadline.restart(self._round_trip.timeout)
        self._patience.restart()
        self._noise = _Noise()

    def _fill(self, waiting: Iterator[Request]) -> bool:
        """Send requests while credits are free; return whether there may be more to send.

        The device keeps only its last `credits` responses, so the oldest unanswered request limits the others.
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
            # Answers come in order, so this was the answer to the oldest request, or a NAK that asks for it.
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
            post_mortem.fail(self._link, item.body)
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
        """Send again from the request that the device expects on, unless this NAK echoes a loss already repaired."""
        self._link.stats.naks += 1
        self._noise.naks += 1
        gap = reason == NakReason.GAP
        self._noise.reason = f"it expects request #{expected}" if gap else "it received a damaged frame"
        oldest = self._oldest
        seq = oldest + ((expected - oldest) & _SEQ_MASK)
        self._check_memory(gap, expected)
        kind = EventKind.NAK_GAP if gap else EventKind.NAK_CORRUPT
        if seq in self._pending and self._is_news(seq, kind):
            self._retry([other for other in self._pending if other >= seq], kind)
            self._deadline.restart(self._round_trip.timeout)
            self._window = max(min(_LEAST_WINDOW, self._credits), self._window / 2)
        else:
            self._event(seq if seq < self._next else oldest, kind)

    def _check_memory(self, gap: bool, expected: int) -> None:
        """Raise DeviceError if the device has forgotten the session: it has rebooted, and its BOOT was lost."""
        self._noise.forgetful += gap and self._credits < (self._oldest - expected) & _SEQ_MASK < _HALF
        if self._noise.forgetful >= _CERTAIN:
            last = (self._oldest - 1) & _SEQ_MASK
            self._link.fail(
                f"{self._link.name} rebooted in the middle of the session: it expects request #{expected}, but it has"
                f" answered up to #{last}"
            )

    def _is_news(self, seq: int, why: EventKind) -> bool:
        """Whether this sign of a loss cannot have been sent before the last retry of `seq`."""
        request = self._pending[seq]
        nak = why in _DROPPED
        if request.reason in (None, EventKind.TIMEOUT):
            return True
        if why is EventKind.SKIPPED and request.reason in _DROPPED:
            return True
        # A device sends at most one NAK for each of the frames that followed the lost one.
        request.echoes -= nak
        if nak and request.reason in _DROPPED and request.echoes < 0:
            return True
        return self._link.clock() - request.retried >= max(_TICK_S, self._round_trip.smoothed)

    def _time_out(self) -> None:
        self._round_trip.expired()
        self._retry([self._oldest], EventKind.TIMEOUT)
        self._deadline.restart(self._round_trip.timeout)

    def _retry(self, seqs: list[int], why: EventKind) -> None:
        """Send requests again because of the first of them. Raises DeviceError after too many attempts."""
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
                " the firmware prints to this port, or the baud rate is wrong"
            )
        if noise.naks >= request.attempts - 1:
            return (
                f"answers every request with NAK, {noise.naks} times since its last answer: {noise.reason};"
                f" {what} was {tried}: the line is bad, or the firmware is not from this checkout"
            )
        return f"is silent: no answer to {what}, {tried}: the device hangs, or the line is broken"

    def _event(self, seq: int, kind: EventKind) -> None:
        self._link.event(seq & _SEQ_MASK, kind)
