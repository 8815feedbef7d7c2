"""Bodies of the messages in docs/protocol.md: pack those of requests, parse those that the device sends."""

import dataclasses
import enum
import struct

from tflm_hil.device.crash import Crash
from tflm_hil.device.reader import Reader

PROTOCOL = 1
RESPONSE = 0x80
"""The bit that turns the type of a request into the type of its response."""


class Message(enum.IntEnum):
    """Frame types."""

    HELLO = 0x01
    BEGIN = 0x02
    SAMPLES = 0x03
    STATUS = 0x04
    TENSOR = 0x05
    ECHO = 0x06
    RESET = 0x07
    FAULT = 0x08
    WRITE = 0x09
    INVOKE = 0x0A
    READ = 0x0B
    DESCRIBE = 0x0C
    SENSE = 0x0D
    PROFILE = 0x0E
    STEPS = 0x0F
    BOOT = 0xF0
    CRASH = 0xF1
    LOG = 0xF2
    NAK = 0xF3
    STACK = 0xF4
    ERROR = 0xFF


class FaultKind(enum.IntEnum):
    """The faults that a FAULT request can cause."""

    UNDEFINED = 0
    BUS_ERROR = 1
    HANG = 2


class NakReason(enum.IntEnum):
    """Why the device sends a NAK."""

    CORRUPT = 1
    GAP = 2


_BOOT_CAUSES = {1: "power-on", 2: "reset pin", 3: "software reset", 4: "watchdog"}
_ERROR_REASONS = {
    1: "unknown request",
    2: "malformed request",
    3: "not available in this build",
    4: "failed on the device",
}


@dataclasses.dataclass(frozen=True)
class WindowResult:
    """The inference on one window. `index` counts from the start of the recording; `outputs` is the memory of all
    outputs in order."""

    index: int
    prepare_ticks: int
    invoke_ticks: int
    outputs: bytes


@dataclasses.dataclass(frozen=True)
class Status:
    """Counters of the device since it booted; stack sizes in bytes.

    `interrupts` are those of received bytes during measurements, which the device has taken out of their ticks.
    """

    stack_peak: int
    stack_size: int
    bad_frames: int
    overruns: int
    windows: int
    interrupts: int


@dataclasses.dataclass(frozen=True)
class StackPart:
    """What a crashed device's stack held from `address` on. `left` bytes follow in other messages."""

    address: int
    left: int
    content: bytes


@dataclasses.dataclass(frozen=True)
class StepsPart:
    """What some of `total` steps took, each with the `mark_ticks` that a step takes which does nothing."""

    mark_ticks: int
    total: int
    ticks: tuple[int, ...]


def pack_hello(nonce: int) -> bytes:
    """Return the body of a HELLO request; `nonce` has 32 bits."""
    return struct.pack("<BI", PROTOCOL, nonce)


def pack_tensor(index: int, offset: int, length: int) -> bytes:
    """Return the body of a TENSOR request for `length` bytes from `offset` of tensor `index`."""
    return struct.pack("<HIB", index, offset, length)


def pack_write(tensor: int, offset: int, data: bytes) -> bytes:
    """Return the body of a WRITE request of `data` into input `tensor`, from `offset` on."""
    return struct.pack("<BI", tensor, offset) + data


def pack_read(tensor: int, offset: int, length: int) -> bytes:
    """Return the body of a READ request for `length` bytes from `offset` of output `tensor`."""
    return struct.pack("<BIB", tensor, offset, length)


def pack_describe(first: int) -> bytes:
    """Return the body of a DESCRIBE request for the tensors from `first` on, inputs before outputs."""
    return struct.pack("<H", first)


def pack_steps(first: int) -> bytes:
    """Return the body of a STEPS request for the steps from number `first` on."""
    return struct.pack("<H", first)


def pack_echo(count: int) -> bytes:
    """Return the body of an ECHO request for `count` raw bytes."""
    return struct.pack("<I", count)


def pack_sense(rows: int) -> bytes:
    """Return the body of a SENSE request for `rows` rows."""
    return struct.pack("<B", rows)


def pack_fault(kind: FaultKind) -> bytes:
    """Return the body of a FAULT request."""
    return struct.pack("<B", kind)


def parse_samples(body: bytes, output_bytes: int) -> list[WindowResult]:
    """Return the windows of a SAMPLES response; each has `output_bytes` bytes of outputs."""
    reader = Reader("SAMPLES", body)
    results = _windows(reader, output_bytes)
    reader.end()
    return results


def parse_sense(body: bytes, output_bytes: int, row_bytes: int) -> tuple[list[WindowResult], bytes]:
    """Return the windows of a SENSE response, and its rows of `row_bytes` bytes; see `parse_samples`."""
    reader = Reader("SENSE", body)
    results = _windows(reader, output_bytes)
    rows = reader.bytes(row_bytes)
    reader.end()
    return results, rows


def parse_status(body: bytes) -> Status:
    """Return the content of a STATUS response."""
    reader = Reader("STATUS", body)
    status = Status(*reader.take("6I"))
    reader.end()
    return status


def parse_tensor(body: bytes) -> tuple[int, bytes]:
    """Return the size of the whole tensor in bytes, and the part of it that a TENSOR or READ response carries."""
    (total,) = Reader("tensor", body).take("I")
    return total, body[4:]


def parse_invoke(body: bytes) -> int:
    """Return the ticks of an INVOKE response."""
    reader = Reader("INVOKE", body)
    (ticks,) = reader.take("I")
    reader.end()
    return int(ticks)


def parse_steps(body: bytes) -> StepsPart:
    """Return the content of a STEPS response."""
    reader = Reader("STEPS", body)
    mark_ticks, total = reader.take("IH")
    ticks = reader.take(f"{reader.left // 4}I")
    reader.end()
    return StepsPart(mark_ticks, total, ticks)


def parse_boot(body: bytes) -> str:
    """Return the cause of a BOOT in words."""
    reader = Reader("BOOT", body)
    _, cause = reader.take("BB")
    return _BOOT_CAUSES.get(cause, "unknown cause")


def parse_crash(body: bytes) -> Crash:
    """Return the registers of a CRASH."""
    reader = Reader("CRASH", body)
    crash = dataclasses.replace(Crash(*reader.take("B8I")), r4_to_r11=reader.take("8I"))
    reader.end()
    return crash


def parse_stack(body: bytes) -> StackPart:
    """Return the part of the stack in a STACK."""
    reader = Reader("STACK", body)
    address, left = reader.take("IH")
    return StackPart(address, left, reader.bytes(reader.left))


def parse_nak(body: bytes) -> tuple[int, int]:
    """Return the sequence number that the device expects and the reason (NakReason) of a NAK."""
    reader = Reader("NAK", body)
    expected, reason = reader.take("HB")
    reader.end()
    return expected, reason


def parse_error(body: bytes) -> str:
    """Return the reason of an error response in words."""
    reader = Reader("error", body)
    (reason,) = reader.take("B")
    text = reader.text()
    reader.end()
    return _ERROR_REASONS.get(reason, f"reason {reason}") + (f": {text}" if text else "")


def _windows(reader: Reader, output_bytes: int) -> list[WindowResult]:
    first, count = reader.take("IB")
    results = []
    for index in range(first, first + count):
        prepare_ticks, invoke_ticks = reader.take("II")
        results.append(WindowResult(index, prepare_ticks, invoke_ticks, reader.bytes(output_bytes)))
    return results


def name_of(type_: int) -> str:
    """Return the name of a frame type; a response has the name of its request."""
    known = {*Message}
    for candidate in (type_, type_ & ~RESPONSE):
        if candidate in known:
            return Message(candidate).name
    return f"0x{type_:02x}"
