"""What a harness asks of a device."""

import time
from collections.abc import Callable

from harness.device.connection import Connection
from harness.device.framing import Frame, wire_size
from harness.device.handshake import Handshake
from harness.device.link import Link, LinkStats
from harness.device.messages import (
    DeviceInfo,
    FaultKind,
    Message,
    Status,
    WindowResult,
    pack_echo,
    pack_fault,
    pack_tensor,
    parse_status,
    parse_tensor,
)
from harness.device.pipeline import Pipeline
from harness.device.stream import RecordingStream, Samples
from harness.device.timeout import Clock, Deadline
from harness.device.uart_log import UartLog
from harness.errors import DeviceError

TIMEOUT_S = 2.0
RETRIES = 5

_TENSOR_HEADER_BYTES = 4
_MOST_TENSOR_BYTES = 255
_SHOWN_ID_BYTES = 6


class Client:
    """One device behind a connection. `hello` opens the session that everything else needs.

    A request without an answer for `timeout` seconds is sent again, `retries` times at most. `name` begins the errors.
    All methods raise DeviceError, with the tail of the log, for a device that does not do what docs/protocol.md says;
    such an error ends the session. Connection and log stay the caller's, who closes them.
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
        """What happened on the line so far."""
        return self._link.stats

    def hello(self) -> DeviceInfo:
        """End whatever session the device was in, begin a new one, and return what the device is."""
        self._session = None
        info = Handshake(self._link).run(self._timeout, self._retries)
        self._session = info, Pipeline(self._link, info.credits, self._timeout, self._retries)
        return info

    def stream(self, samples: Samples, progress: Callable[[int], None] | None = None) -> list[WindowResult]:
        """Send one recording, int16[rows, channels] in raw counts, and return its windows in order, each exactly once.

        `progress` is called with the number of rows that have been answered. Raises HilError where the samples do not
        fit the device.
        """
        info, pipeline = self._open
        recording = RecordingStream(samples, info)

        def answered(body: bytes) -> None:
            self._link.parse(recording.answer, body)
            if progress is not None:
                progress(recording.rows)

        pipeline.run(recording.requests(), answered)
        return recording.windows

    def status(self) -> Status:
        """Return the device's counters."""
        return self._link.parse(parse_status, self._call(Message.STATUS))

    def tensor(self, index: int) -> bytes:
        """Return the memory of tensor `index` as the last inference left it; debug builds only."""
        info, pipeline = self._open
        most = min(_MOST_TENSOR_BYTES, info.max_body - _TENSOR_HEADER_BYTES)
        total, content = self._link.parse(parse_tensor, self._call(Message.TENSOR, pack_tensor(index, 0, most)))
        parts = [content]
        pipeline.run(
            [
                (Message.TENSOR, pack_tensor(index, offset, min(most, total - offset)))
                for offset in range(most, total, most)
            ],
            lambda body: parts.append(self._link.parse(parse_tensor, body)[1]),
        )
        content = b"".join(parts)
        if len(content) != total:
            self._link.fail(f"{self._link.name} sent {len(content)} bytes of tensor {index}, which has {total}")
        return content

    def echo(self, data: bytes) -> bytes:
        """Send raw bytes and return them as they come back, never with more under way than the device has room for.

        Raises DeviceError where less comes back, and then leaves the device waiting for the rest: reset it.
        """
        info, _ = self._open
        self._call(Message.ECHO, pack_echo(len(data)))
        room = info.credits * wire_size(info.max_body)
        sent, back = 0, bytearray()
        deadline = Deadline(self._timeout, self._link.clock)
        while len(back) < len(data):
            if piece := data[sent : len(back) + room]:
                self._link.send_raw(piece)
                sent += len(piece)
            if received := self._link.receive_raw(deadline.left):
                back += received
                deadline.restart()
            elif deadline.expired:
                self._link.fail(f"{self._link.name} echoed {len(back)} of {len(data)} bytes, then was silent")
        return bytes(back)

    def reset(self) -> None:
        """Let the device reset itself and wait until it has; `hello` opens the next session."""
        self._call(Message.RESET)
        self._session = None
        deadline = Deadline(self._timeout * (self._retries + 1), self._link.clock)
        while not deadline.expired:
            item = self._link.receive(deadline.left)
            if isinstance(item, Frame) and item.type == Message.BOOT:
                return
        self._link.fail(f"{self._link.name} acknowledged a reset, but never came back from it")

    def fault(self, kind: FaultKind) -> None:
        """Let the device run into a fault; it is the next request that finds out."""
        self._call(Message.FAULT, pack_fault(kind))

    @property
    def _open(self) -> tuple[DeviceInfo, Pipeline]:
        if self._session is None:
            raise DeviceError(f"{self._link.name}: no session is open: call hello() first")
        return self._session

    def _call(self, type_: Message, body: bytes = b"") -> bytes:
        answers: list[bytes] = []
        self._open[1].run([(type_, body)], answers.append)
        return answers[0]


def check_identity(info: DeviceInfo, build_id: bytes, model_sha256: bytes) -> None:
    """Raise DeviceError unless the device runs the image `build_id` with the model whose file has `model_sha256`."""
    if info.build_id != build_id:
        raise DeviceError(
            f"the board runs build {_short(info.build_id)}, the harness built {_short(build_id)}:"
            " flash the image that was built and run again"
        )
    if info.model_hash != model_sha256[: len(info.model_hash)]:
        raise DeviceError(
            f"the board runs model {_short(info.model_hash)}, the test expects {_short(model_sha256)}:"
            " flash the image that was built for this model and run again"
        )


def _short(identity: bytes) -> str:
    return identity[:_SHOWN_ID_BYTES].hex()
