"""Inferences on tensors that the host writes: the WRITE, INVOKE and READ requests, and what their responses mean."""

import dataclasses
from collections.abc import Iterator, Sequence

from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.messages import Message, pack_read, pack_write, parse_invoke, parse_tensor
from tflm_hil.device.pipeline import Request
from tflm_hil.errors import DeviceError, HilError

_WRITE_HEADER_BYTES = 5
_READ_HEADER_BYTES = 4
_MOST_READ_BYTES = 255


@dataclasses.dataclass(frozen=True)
class Inference:
    """The result of one inference: the memory of each output, and the ticks that it took."""

    outputs: list[bytes]
    invoke_ticks: int


def parts(total: int, max_body: int) -> Iterator[tuple[int, int]]:
    """Yield offset and length, in bytes, of each request needed to read a tensor of `total` bytes."""
    most = min(_MOST_READ_BYTES, max_body - _READ_HEADER_BYTES)
    return ((offset, min(most, total - offset)) for offset in range(0, total, most))


def part(body: bytes, total: int, length: int) -> bytes:
    """Return the part of a tensor in the body of a TENSOR or READ response.

    Raises DeviceError unless it is `length` bytes of a tensor of `total` bytes.
    """
    claimed, content = parse_tensor(body)
    if (claimed, len(content)) != (total, length):
        raise DeviceError(
            f"the device sent {len(content)} bytes of a tensor of {claimed} bytes instead of {length} of {total}:"
            " was its firmware built from this checkout?"
        )
    return content


class InferenceStream:
    """The requests of one inference, and its results.

    `inputs` holds the memory of each input in the order of HELLO. Raises HilError if it does not fit the device.
    """

    def __init__(self, inputs: Sequence[bytes], info: DeviceInfo) -> None:
        expected, given = [tensor.bytes for tensor in info.inputs], [len(data) for data in inputs]
        if given != expected:
            raise HilError(
                f"the device takes inputs of {expected} bytes, not {given}; choose inputs that fit the model"
            )
        self._inputs = inputs
        self._info = info
        self._writes = [
            (tensor, offset)
            for tensor, size in enumerate(expected)
            for offset in range(0, size, info.max_body - _WRITE_HEADER_BYTES)
        ]
        self._reads = [
            (tensor, offset, length)
            for tensor, output in enumerate(info.outputs)
            for offset, length in parts(output.bytes, info.max_body)
        ]
        self._answered = 0
        self._ticks = 0
        self._outputs = [bytearray() for _ in info.outputs]

    @property
    def request_count(self) -> int:
        """The number of requests."""
        return len(self._writes) + 1 + len(self._reads)

    @property
    def done(self) -> bool:
        """Whether all responses have arrived."""
        return self._answered == self.request_count

    @property
    def inference(self) -> Inference:
        """The result, once `done`."""
        return Inference([bytes(output) for output in self._outputs], self._ticks)

    def requests(self) -> Iterator[Request]:
        """Yield every request."""
        most = self._info.max_body - _WRITE_HEADER_BYTES
        for tensor, offset in self._writes:
            yield Message.WRITE, pack_write(tensor, offset, self._inputs[tensor][offset : offset + most])
        yield Message.INVOKE, b""
        for tensor, offset, length in self._reads:
            yield Message.READ, pack_read(tensor, offset, length)

    def answer(self, body: bytes) -> int:
        """Take the body of the next response and return the ticks that it reports, 0 if it reports none.

        Raises DeviceError unless it holds what was requested.
        """
        number = self._answered - len(self._writes)
        self._answered += 1
        if number == 0:
            self._ticks = parse_invoke(body)
            self._info.check_ticks(self._ticks, "an inference")
            return self._ticks
        if number > 0:
            tensor, _, length = self._reads[number - 1]
            self._outputs[tensor] += part(body, self._info.outputs[tensor].bytes, length)
        return 0
