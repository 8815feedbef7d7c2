"""Description of the running image: from HELLO, and from DESCRIBE for tensors that HELLO has no room for."""

import dataclasses
import enum

from tflm_hil.device.framing import MAX_BODY
from tflm_hil.device.reader import Reader
from tflm_hil.device.tensor_info import DTYPES, MOST_RANK, TensorInfo
from tflm_hil.errors import DeviceError

_LEAST_BODY = 68
"""Bytes of a HELLO response without texts and tensors; all other messages of a fixed size are shorter."""

BACKWARDS = 1 << 31
"""Differences of 32-bit counts from here on are negative: a device that worked this long would have timed out."""


class Counter(enum.IntEnum):
    """What the device counts ticks with."""

    NONE = 0
    """There is no counter, and every measurement is 0."""

    DWT = 1
    SYSTICK = 2
    TIMER = 3


@dataclasses.dataclass(frozen=True)
class DeviceInfo:
    """The running image, as it describes itself.

    `window` and `stride` are in rows of `channels` samples; all three are 0 if inputs are written as tensors. `tensors`
    describes the inputs, then the outputs. Until `complete`, only the first of them are known.

    `calibration_ticks` are those of a loop of `calibration_instructions`: turns of 16 instructions, of which 14 each
    need the result of the one before. Both are 0 if the device has not measured it.
    """

    debug: bool
    credits: int
    max_body: int
    counter: Counter
    clock_hz: int
    overhead_ticks: int
    calibration_instructions: int
    calibration_ticks: int
    window: int
    stride: int
    channels: int
    arena_bytes: int
    model_hash: bytes
    build_id: bytes
    engine: str
    engine_version: str
    target: str
    input_count: int
    output_count: int
    tensors: tuple[TensorInfo, ...]

    @property
    def complete(self) -> bool:
        """Whether every tensor is described."""
        return len(self.tensors) == self.input_count + self.output_count

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The inputs, in the order of the .tflite."""
        return self.tensors[: self.input_count]

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The outputs, in the order of the .tflite."""
        return self.tensors[self.input_count :]

    @property
    def output_bytes(self) -> int:
        """Bytes of all outputs of one window."""
        return sum(tensor.bytes for tensor in self.outputs)

    def check_ticks(self, ticks: int, what: str) -> None:
        """Raise DeviceError if `ticks` is an impossible duration of `what`."""
        if self.counter == Counter.NONE:
            return
        if ticks <= self.overhead_ticks:
            raise DeviceError(
                f"the device measured {ticks} ticks for {what}, but an empty measurement takes {self.overhead_ticks}:"
                " its counter stands still, or is not the one that HELLO names"
            )
        if ticks >= BACKWARDS:
            raise DeviceError(f"the device measured {ticks:,} ticks for {what}: its counter ran backwards")


def parse_hello_head(body: bytes) -> tuple[int, int]:
    """Return the protocol version and the nonce of a HELLO response of any protocol version."""
    protocol, nonce = Reader("HELLO", body).take("BI")
    return protocol, nonce


def parse_hello(body: bytes) -> DeviceInfo:
    """Return the content of a HELLO response of this protocol version. Raises DeviceError if it is malformed.

    If the response has no room for all tensors, `parse_describe` adds the others.
    """
    reader = Reader("HELLO", body)
    reader.take("BI")
    flags, credits_, max_body, counter, clock_hz = reader.take("BBHBI")
    overhead, calibration_instructions, calibration_ticks = reader.take("III")
    window, stride, channels, arena = reader.take("HHBI")
    model_hash, build_id = reader.bytes(8), reader.bytes(20)
    engine, engine_version, target = reader.text(), reader.text(), reader.text()
    input_count, output_count = reader.take("BB")
    if not _LEAST_BODY <= max_body <= MAX_BODY:
        raise reader.malformed(f"max_body is {max_body}, not {_LEAST_BODY} to {MAX_BODY}")
    if counter not in set(Counter):
        raise reader.malformed(f"counter kind {counter} does not exist")
    if not (credits_ and output_count):
        raise reader.malformed("credits and outputs must not be 0")
    if not clock_hz:
        raise reader.malformed("the core clock is 0 Hz")
    if len({bool(window), bool(stride), bool(channels)}) > 1:
        raise reader.malformed("window, stride and channels must be all zero or all nonzero")
    tensors = _tensors(reader, input_count + output_count)
    info = DeviceInfo(
        bool(flags & 1),
        credits_,
        max_body,
        Counter(counter),
        clock_hz,
        overhead,
        calibration_instructions,
        calibration_ticks,
        window,
        stride,
        channels,
        arena,
        model_hash,
        build_id,
        engine,
        engine_version,
        target,
        input_count,
        output_count,
        tensors,
    )
    return _checked(info, reader)


def parse_describe(body: bytes, info: DeviceInfo) -> DeviceInfo:
    """Return `info` with the tensors of a DESCRIBE response added. Raises DeviceError if it is malformed or empty."""
    reader = Reader("DESCRIBE", body)
    tensors = _tensors(reader, info.input_count + info.output_count - len(info.tensors))
    if not tensors:
        raise reader.malformed("it describes no tensor")
    return _checked(dataclasses.replace(info, tensors=info.tensors + tensors), reader)


def _checked(info: DeviceInfo, reader: Reader) -> DeviceInfo:
    if info.window and (2 * info.channels > info.max_body or 5 + 8 + info.output_bytes > info.max_body):
        raise reader.malformed(f"a row or a window's outputs do not fit into max_body = {info.max_body}")
    return info


def _tensors(reader: Reader, most: int) -> tuple[TensorInfo, ...]:
    """The rest of the message, which must describe at most `most` tensors."""
    tensors: list[TensorInfo] = []
    while len(tensors) < most and reader.left:
        tensors.append(_tensor(reader))
    reader.end()
    return tuple(tensors)


def _tensor(reader: Reader) -> TensorInfo:
    type_, rank = reader.take("BB")
    if type_ not in DTYPES:
        raise reader.malformed(f"tensor type {type_} is not supported")
    if rank > MOST_RANK:
        raise reader.malformed(f"a tensor has {rank} dimensions, more than {MOST_RANK}")
    shape = reader.take(f"{rank}H")
    scale, zero_point = reader.take("fi")
    tensor = TensorInfo(type_, shape, scale, zero_point)
    if tensor.problem:
        raise reader.malformed(tensor.problem)
    return tensor
