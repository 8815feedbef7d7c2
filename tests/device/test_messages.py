"""Parsing messages of the device, and refusing malformed ones."""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.device_helpers import FakeClock, MemoryConnection
from support.fake_device import DWT, FakeDevice, Image, Tensor
from support.fake_framing import cobs_decode
from tflm_hil.device import device_info, messages
from tflm_hil.device.client import Client
from tflm_hil.device.crash import Crash
from tflm_hil.device.framing import encode
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError

# The description of an int8 [1, 4], such as the image of the fake device has.
TENSOR = struct.pack("<BB2Hfi", 9, 2, 1, 4, 0.5, 7)

PARSERS: list[Callable[[bytes], object]] = [
    device_info.parse_hello_head,
    device_info.parse_hello,
    lambda body: messages.parse_samples(body, 4),
    messages.parse_status,
    messages.parse_tensor,
    messages.parse_invoke,
    messages.parse_steps,
    messages.parse_boot,
    messages.parse_crash,
    messages.parse_nak,
    messages.parse_error,
]


def hello_body(image: Image) -> bytes:
    wire = FakeDevice(image, lambda _: b"").feed(encode(messages.Message.HELLO, 0, messages.pack_hello(0xDEADBEEF)))
    return cobs_decode(wire[:-1])[3:-2]


def test_hello_describes_the_image() -> None:
    image = Image(
        window=30,
        stride=5,
        channels=6,
        inputs=(Tensor(9, (1, 30, 6), 0.5, -128),),
        outputs=(Tensor(0, (1, 2)), Tensor(9, (3,), 0.25, 1)),
        debug=True,
        engine="aot",
        engine_version="1.2 ü",
    )
    body = hello_body(image)
    info = device_info.parse_hello(body)
    assert device_info.parse_hello_head(body) == (1, 0xDEADBEEF)
    assert (info.window, info.stride, info.channels, info.arena_bytes) == (30, 5, 6, 320)
    assert (info.credits, info.max_body, info.counter, info.clock_hz) == (4, 249, device_info.Counter.DWT, 168_000_000)
    assert (info.overhead_ticks, info.calibration_instructions, info.calibration_ticks) == (12, 1024, 1088)
    assert (info.build_id, info.model_hash, info.debug) == (image.build_id, image.model_hash, True)
    assert (info.engine, info.engine_version, info.target) == ("aot", "1.2 ü", "stm32f4")
    assert [(t.type, t.shape, t.scale, t.zero_point) for t in info.inputs] == [(9, (1, 30, 6), 0.5, -128)]
    assert [t.dtype.name for t in info.outputs] == ["float32", "int8"]
    assert info.output_bytes == 8 + 3


@given(st.sampled_from(PARSERS), st.binary(max_size=120))
def test_parsers_raise_only_device_errors(parse: Callable[[bytes], object], body: bytes) -> None:
    with contextlib.suppress(DeviceError):
        parse(body)


@given(st.data())
def test_a_hello_that_is_cut_short_or_too_long_is_malformed(data: st.DataObject) -> None:
    body = hello_body(Image(inputs=()))
    cut = data.draw(st.integers(0, len(body) - 1).filter(lambda length: length != len(body) - len(TENSOR)))
    for wrong in (body[:cut], body + b"\0"):
        with pytest.raises(DeviceError, match="malformed HELLO message"):
            device_info.parse_hello(wrong)


def test_tensors_that_hello_has_no_room_for_are_described_afterwards(tmp_path: Path) -> None:
    image = Image(window=0, stride=0, channels=0, inputs=(Tensor(0, (1, 2)),) * 9, outputs=(Tensor(9, (3,)),) * 30)
    info = device_info.parse_hello(hello_body(image))
    assert (info.input_count, info.output_count) == (9, 30)
    assert 0 < len(info.tensors) < 39
    assert not info.complete
    clock = FakeClock()
    client = Client(
        MemoryConnection(FakeDevice(image, lambda _: b""), clock), UartLog(tmp_path / "log", clock), clock=clock
    )
    info = client.hello()
    assert [tensor.shape for tensor in info.inputs] == [(1, 2)] * 9
    assert [tensor.shape for tensor in info.outputs] == [(3,)] * 30


def test_a_description_of_nothing_or_too_much_is_malformed() -> None:
    info = dataclasses.replace(device_info.parse_hello(hello_body(Image())), tensors=())
    for body, complaint in ((b"", "describes no tensor"), (2 * TENSOR + b"\0", "1 bytes too many")):
        with pytest.raises(DeviceError, match=complaint):
            device_info.parse_describe(body, info)
    assert device_info.parse_describe(2 * TENSOR, info).complete


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (Image(stride=0), "window, stride and channels must be all zero or all nonzero"),
        (Image(credits=0), "must not be 0"),
        (Image(outputs=()), "must not be 0"),
        (Image(outputs=(Tensor(5, (1,)),)), "tensor type 5"),
        (Image(outputs=(Tensor(0, (60,)),)), "do not fit into max_body = 249"),
    ],
)
def test_a_useless_hello_is_malformed(image: Image, complaint: str) -> None:
    with pytest.raises(DeviceError, match=complaint):
        device_info.parse_hello(hello_body(image))


def test_an_unknown_counter_is_malformed() -> None:
    body = bytearray(hello_body(Image()))
    assert body[9] == DWT
    body[9] = 4
    with pytest.raises(DeviceError, match="counter kind 4"):
        device_info.parse_hello(bytes(body))


def test_windows_of_a_samples_response_are_numbered_from_the_first() -> None:
    body = struct.pack("<IBII2sII2s", 7, 2, 1, 2, b"ab", 3, 4, b"cd")
    assert messages.parse_samples(body, 2) == [
        messages.WindowResult(7, 1, 2, b"ab"),
        messages.WindowResult(8, 3, 4, b"cd"),
    ]


@pytest.mark.parametrize(
    ("crash", "sentence"),
    [
        (
            Crash(3, 0x08001234, 0x08000FED, 0, 1 << 16, 1 << 30, 0, 0, 0x2001FF80),
            "usage fault: executed an undefined instruction (UNDEFINSTR); PC 0x08001234, LR 0x08000fed,"
            " SP 0x2001ff80, CFSR 0x00010000, HFSR 0x40000000",
        ),
        (
            Crash(2, 0x08000010, 0x08000FED, 0, 0x8200, 0, 0, 0x60000000, 0x2001FF80),
            "bus fault: read or wrote an unmapped address (PRECISERR) at address 0x60000000; PC 0x08000010,"
            " LR 0x08000fed, SP 0x2001ff80, CFSR 0x00008200, HFSR 0x00000000",
        ),
        (
            Crash(1, 0, 0, 0, 0x0092, 0, 0x20000000, 0, 0),
            "memory management fault: accessed protected data (DACCVIOL), memory management fault on entry to an"
            " exception: stack overflow? (MSTKERR) at address 0x20000000; PC 0x00000000, LR 0x00000000, SP 0x00000000,"
            " CFSR 0x00000092, HFSR 0x00000000",
        ),
        (
            Crash(0, 0, 0, 0, 0, 2, 0, 0, 0),
            "hard fault: could not read the vector table (VECTTBL); PC 0x00000000, LR 0x00000000, SP 0x00000000,"
            " CFSR 0x00000000, HFSR 0x00000002",
        ),
    ],
)
def test_a_crash_reads_as_a_sentence(crash: Crash, sentence: str) -> None:
    assert crash.describe() == sentence
