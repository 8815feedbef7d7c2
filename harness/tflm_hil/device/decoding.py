"""What a frame says, in words, for people who watch a line."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tflm_hil.device.device_info import parse_hello, parse_hello_head
from tflm_hil.device.framing import Frame
from tflm_hil.device.messages import (
    RESPONSE,
    FaultKind,
    Message,
    NakReason,
    name_of,
    parse_boot,
    parse_crash,
    parse_error,
    parse_invoke,
    parse_nak,
    parse_stack,
    parse_status,
    parse_steps,
    parse_tensor,
)
from tflm_hil.device.text import printable
from tflm_hil.errors import DeviceError

_SHOWN_ID_BYTES = 6


def decode(frame: Frame) -> str:
    """Return e.g. `#7 INVOKE: 147,812 ticks`. Whatever the frame holds, this is one harmless line."""
    number = f"#{frame.seq} " if frame.seq or frame.type < RESPONSE else ""
    try:
        said = _DECODERS[frame.type](frame.body) if frame.type in _DECODERS else _bytes(frame.body)
    except (DeviceError, struct.error, ValueError):
        said = f"malformed, {len(frame.body)} bytes"
    return f"{number}{name_of(frame.type)}" + (f": {said}" if said else "")


def _bytes(body: bytes) -> str:
    return f"{len(body)} bytes" if body else ""


def _hello(body: bytes) -> str:
    protocol, _ = parse_hello_head(body)
    info = parse_hello(body)
    debug = ", debug build" if info.debug else ""
    return (
        f"protocol {protocol}, {info.target}, engine {info.engine} {info.engine_version},"
        f" build {info.build_id[:_SHOWN_ID_BYTES].hex()}, model {info.model_hash[:_SHOWN_ID_BYTES].hex()},"
        f" {info.credits} credits, counter {info.counter.name} at {info.clock_hz:,} Hz{debug}"
    )


def _samples(body: bytes) -> str:
    first, count = struct.unpack_from("<IB", body)
    if not count:
        return "no window"
    return f"window {first}" if count == 1 else f"windows {first} to {first + count - 1}"


def _status(body: bytes) -> str:
    status = parse_status(body)
    return (
        f"{status.windows:,} windows, {status.bad_frames:,} bad frames, {status.overruns:,} overruns,"
        f" stack {status.stack_peak:,} of {status.stack_size:,} bytes"
    )


def _part(body: bytes) -> str:
    total, content = parse_tensor(body)
    return f"{len(content)} of {total:,} bytes"


def _steps(body: bytes) -> str:
    steps = parse_steps(body)
    return f"{len(steps.ticks)} of {steps.total:,} steps"


def _asked_part(layout: str, what: str) -> Callable[[bytes], str]:
    def decode(body: bytes) -> str:
        tensor, offset, length = struct.unpack(layout, body)
        return f"{length} bytes of {what} {tensor} from {offset:,}"

    return decode


def _write(body: bytes) -> str:
    tensor, offset = struct.unpack_from("<BI", body)
    return f"{len(body) - 5} bytes into input {tensor} from {offset:,}"


def _fault(body: bytes) -> str:
    (kind,) = struct.unpack("<B", body)
    return FaultKind(kind).name.lower()


def _nak(body: bytes) -> str:
    expected, reason = parse_nak(body)
    return f"expects #{expected}, {'a request is missing' if reason == NakReason.GAP else 'a frame was damaged'}"


def _stack(body: bytes) -> str:
    part = parse_stack(body)
    return f"{len(part.content)} bytes at 0x{part.address:08x}, {part.left} more"


def _number(layout: str, text: str) -> Callable[[bytes], str]:
    return lambda body: text.format(*struct.unpack(layout, body))


_DECODERS: dict[int, Callable[[bytes], str]] = {
    Message.HELLO: _number("<BI", "protocol {}, nonce {:08x}"),
    Message.TENSOR: _asked_part("<HIB", "tensor"),
    Message.ECHO: _number("<I", "{:,} bytes"),
    Message.FAULT: _fault,
    Message.WRITE: _write,
    Message.READ: _asked_part("<BIB", "output"),
    Message.DESCRIBE: _number("<H", "from tensor {} on"),
    Message.STEPS: _number("<H", "from step {} on"),
    Message.HELLO | RESPONSE: _hello,
    Message.SAMPLES | RESPONSE: _samples,
    Message.STATUS | RESPONSE: _status,
    Message.TENSOR | RESPONSE: _part,
    Message.INVOKE | RESPONSE: lambda body: f"{parse_invoke(body):,} ticks",
    Message.READ | RESPONSE: _part,
    Message.STEPS | RESPONSE: _steps,
    Message.BOOT: parse_boot,
    Message.CRASH: lambda body: parse_crash(body).describe(),
    Message.LOG: printable,
    Message.NAK: _nak,
    Message.STACK: _stack,
    Message.ERROR: parse_error,
}
