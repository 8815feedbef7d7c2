"""The client: every request that the harness makes of a device."""

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import DeviceInfo, parse_describe
from tflm_hil.device.framing import Frame, wire_size
from tflm_hil.device.handshake import Handshake
from tflm_hil.device.inferences import Inference, InferenceStream, part, parts
from tflm_hil.device.link import Link, LinkStats
from tflm_hil.device.messages import (
    FaultKind,
    Message,
    Status,
    WindowResult,
    pack_describe,
    pack_echo,
    pack_fault,
    pack_sense,
    pack_steps,
    pack_tensor,
    parse_status,
    parse_tensor,
)
from tflm_hil.device.pace import Pace
from tflm_hil.device.pipeline import Pipeline
from tflm_hil.device.sensing import Sensed, Sensing, joined
from tflm_hil.device.steps import Steps, StepsCollector
from tflm_hil.device.stream import Feed, RecordingStream, Samples
from tflm_hil.device.timeout import Clock, Deadline
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError

TIMEOUT_S = 2.0
RETRIES = 5

ProgressCallback = Callable[[int], None]
"""Is called with the number of windows or inferences that are done."""

S = TypeVar("S", RecordingStream, InferenceStream)


class Client:
    """One device behind a connection. `hello` opens the session that all other requests need.

    An unanswered request is sent again after some round trips, at most `timeout` seconds. The device counts as silent
    if it answers nothing for (`retries` + 1) * `timeout` seconds. `name` begins the messages of errors.
    All methods raise DeviceError, with the tail of the log, if the device breaks the rules of docs/protocol.md. Such an
    error ends the session, unless it is a RefusedError. The caller closes the connection and the log.
    """

    def __init__(
        self,
        connection: Connection,
        log: UartLog,
        timeout: float = TIMEOUT_S,
        retries: int = RETRIES,
        name: str = "the device",
        clock: Clock = time.monotonic,
    ) -> None:
        self._link = Link(connection, log, name, clock)
        self._timeout = timeout
        self._retries = retries
        self._session: tuple[DeviceInfo, Pipeline] | None = None

    @property
    def link(self) -> LinkStats:
        """What has happened on the line so far."""
        return self._link.stats

    @property
    def failure(self) -> str | None:
        """The error that ended the session and left the device in an unknown state; None while there is none."""
        return self._link.failure

    def runs(self, elf: Path) -> None:
        """Take `elf` for the file of the image that runs there: it says where in the sources a crash happened."""
        self._link.elf = elf

    def hello(self, retries: int | None = None) -> DeviceInfo:
        """End the device's session, if there is one, begin a new one, and return the description of the device.

        `retries` may be another number than that of all other requests.
        """
        self._session = None
        info = Handshake(self._link).run(self._timeout, self._retries if retries is None else retries)
        pipeline = Pipeline(self._link, info.credits, self._timeout, self._retries)
        while not info.complete:
            described = _call(pipeline, Message.DESCRIBE, pack_describe(len(info.tensors)))
            info = self._link.parse(functools.partial(parse_describe, info=info), described)
        self._session = info, pipeline
        return info

    def stream(self, samples: Samples, progress: ProgressCallback | None = None) -> list[WindowResult]:
        """Send one recording; see `stream_all`."""
        return self.stream_all([samples], progress)[0]

    def stream_all(
        self,
        recordings: Sequence[Samples],
        progress: ProgressCallback | None = None,
        done: Callable[[list[WindowResult]], None] | None = None,
    ) -> list[list[WindowResult]]:
        """Send recordings, int16[rows, channels] in raw counts, one after the other without a pause on the line.

        Returns the windows of each recording in order, each window exactly once. `progress` is called with the number
        of windows answered so far, of all recordings, and `done` with the windows of a recording as soon as it has
        them all. Raises HilError if the samples do not fit the device.
        """
        info, _ = self._open
        streams = [RecordingStream(samples, info) for samples in recordings]
        windows = 0

        def take(stream: RecordingStream, body: bytes) -> int:
            nonlocal windows
            new = stream.answer(body)
            windows += len(new)
            if progress is not None:
                progress(windows)
            if done is not None and stream.done:
                done(stream.windows)
            return sum(window.prepare_ticks + window.invoke_ticks for window in new)

        self._exchange(streams, take)
        return [stream.windows for stream in streams]

    def feed(self) -> Feed:
        """Begin a recording whose rows come bit by bit."""
        info, _ = self._open
        self._call(Message.BEGIN)
        return Feed(info, functools.partial(self._call, Message.SAMPLES))

    def infer(self, inputs: Sequence[bytes]) -> Inference:
        """Run the network once; see `infer_all`."""
        return self.infer_all([inputs])[0]

    def infer_all(
        self,
        cases: Sequence[Sequence[bytes]],
        progress: ProgressCallback | None = None,
        done: Callable[[Inference], None] | None = None,
    ) -> list[Inference]:
        """Run the network once on each of `cases` without a pause on the line.

        A case holds the memory of each input. `progress` is called with the number of cases answered so far, and `done`
        with the result of each. Raises HilError if a case does not fit the device.
        """
        info, _ = self._open
        streams = [InferenceStream(inputs, info) for inputs in cases]
        answered = 0

        def take(stream: InferenceStream, body: bytes) -> int:
            nonlocal answered
            ticks = stream.answer(body)
            answered += stream.done
            if stream.done and progress is not None:
                progress(answered)
            if stream.done and done is not None:
                done(stream.inference)
            return ticks

        self._exchange(streams, take)
        return [stream.inference for stream in streams]

    def sense(self, rows: int, started: Callable[[], None]) -> Sensed:
        """Begin a recording, and take `rows` rows from the device's own sensor, which runs at its own pace.

        `started` is called as soon as it senses. Raises RefusedError if there is no sensor, or if it fails, and
        HilError if the device has no windows.
        """
        info, _ = self._open
        parts: list[Sensed] = []
        for some in self._sensed(Sensing(rows, info)):
            parts.append(some)
            if len(parts) == 1:
                started()
        return joined(parts, info)

    def sensing(self, at_once: int) -> Iterator[Sensed]:
        """Begin a recording, and yield rows of the device's own sensor, without an end; see `sense`.

        They come `at_once` at a time, after a first one that comes alone, or fewer if a response has no room for more.
        """
        return self._sensed(Sensing(None, self._open[0], at_once))

    def _sensed(self, sensing: Sensing) -> Iterator[Sensed]:
        self._call(Message.BEGIN)
        # Not more than one request at a time: the sensor's FIFO bridges what that costs, and each takes a while.
        for asked in sensing.requests():
            body = self._call(Message.SENSE, pack_sense(asked))
            yield self._link.parse(functools.partial(sensing.answer, asked), body)

    def status(self) -> Status:
        """Return the device's counters."""
        return self._link.parse(parse_status, self._call(Message.STATUS))

    def tensor(self, index: int) -> bytes:
        """Return the memory of tensor `index` after the last inference; debug builds only."""
        info, pipeline = self._open
        total, _ = self._link.parse(parse_tensor, self._call(Message.TENSOR, pack_tensor(index, 0, 0)))
        asked = parts(total, info.max_body)
        due = parts(total, info.max_body)
        received = bytearray()

        def take(body: bytes) -> float:
            received.extend(self._link.parse(lambda body: part(body, total, next(due)[1]), body))
            return 0.0

        pipeline.run(((Message.TENSOR, pack_tensor(index, offset, length)) for offset, length in asked), take)
        return bytes(received)

    def profile(self) -> None:
        """Let the device measure the steps of the next inference. Raises RefusedError if it cannot."""
        self._call(Message.PROFILE)

    def steps(self) -> Steps:
        """What the steps of the last inference took that measured them."""
        info, _ = self._open
        collected = StepsCollector(info)
        while collected.missing:
            self._link.parse(collected.answer, self._call(Message.STEPS, pack_steps(collected.next)))
        return collected.steps

    def echo(self, data: bytes) -> bytes:
        """Send raw bytes and return what comes back; never have more bytes in flight than the device has room for.

        Raises DeviceError if fewer bytes come back. The device then waits for the rest: reset it.
        """
        info, _ = self._open
        self._call(Message.ECHO, pack_echo(len(data)))
        # Send pieces of the size of a frame: a socket charges each small piece for a whole buffer, and fills up.
        piece_bytes = wire_size(info.max_body)
        room = info.credits * piece_bytes
        sent, back = 0, bytearray()
        deadline, pace = Deadline(self._timeout, self._link.clock), Pace(self._link)
        while len(back) < len(data):
            while sent < len(data) and sent + piece_bytes <= len(back) + room:
                self._link.send_raw(data[sent : sent + piece_bytes])
                sent += piece_bytes
            if received := self._link.receive_raw(deadline.left):
                back += received
                deadline.restart()
                pace.check()
            elif deadline.expired:
                self._link.fail(f"{self._link.name} echoed {len(back)} of {len(data)} bytes, then fell silent")
        return bytes(back)

    def reset(self) -> None:
        """Reset the device and wait for its BOOT message; `hello` opens the next session."""
        self._call(Message.RESET)
        self._session = None
        deadline = Deadline(self._timeout * (self._retries + 1), self._link.clock)
        while not deadline.expired:
            item = self._link.receive(deadline.left)
            if isinstance(item, Frame) and item.type == Message.BOOT:
                return
        self._link.fail(f"{self._link.name} acknowledged a reset, but did not boot")

    def fault(self, kind: FaultKind) -> None:
        """Make the device run into a fault; the next request reports it."""
        self._call(Message.FAULT, pack_fault(kind))

    @property
    def _open(self) -> tuple[DeviceInfo, Pipeline]:
        if self._session is None:
            raise DeviceError(f"{self._link.name}: no session is open; call hello() first")
        return self._session

    def _call(self, type_: Message, body: bytes = b"") -> bytes:
        return _call(self._open[1], type_, body)

    def _exchange(self, streams: Sequence[S], take: Callable[[S, bytes], int]) -> None:
        """Send all requests of `streams`; pass each response to `take`, which returns the ticks that it reports."""
        info, pipeline = self._open
        due = (stream for stream in streams for _ in range(stream.request_count))

        def answered(body: bytes) -> float:
            return self._link.parse(functools.partial(take, next(due)), body) / info.clock_hz

        pipeline.run((request for stream in streams for request in stream.requests()), answered)


def _call(pipeline: Pipeline, type_: Message, body: bytes) -> bytes:
    answers: list[bytes] = []

    def answered(body: bytes) -> float:
        answers.append(body)
        return 0.0

    pipeline.run([(type_, body)], answered)
    return answers[0]
