"""The firmware's requests on tensors, compiled for the host: what is written is what the network sees."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from fastcrc import crc16
from support.device_helpers import FakeClock, MemoryConnection
from support.fake_device import FakeDevice
from support.firmware_helpers import FirmwareOnHost, compile_for_host
from support.lossy_connection import LossyConnection, at_random
from tflm_hil.device.client import Client
from tflm_hil.device.messages import Message
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError

FIRST_BYTES, SECOND_BYTES = 600, 8


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tensors")
    return compile_for_host(directory, "firmware.so", "-shared", "-fPIC", windowed=False)


def connect(library: Path, tmp_path: Path, rate: float = 0.0) -> Client:
    clock = FakeClock()
    line = MemoryConnection(cast(FakeDevice, FirmwareOnHost(library)), clock)
    return Client(
        LossyConnection(line, at_random(1, rate)), UartLog(tmp_path / "log", clock), 1.0, retries=50, clock=clock
    )


@pytest.fixture
def client(library: Path, tmp_path: Path) -> Client:
    client = connect(library, tmp_path)
    client.hello()
    return client


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_an_inference_sees_every_byte_once(library: Path, tmp_path: Path, rate: float) -> None:
    client = connect(library, tmp_path, rate)
    info = client.hello()
    assert (info.window, info.stride, info.channels) == (0, 0, 0)
    assert [tensor.bytes for tensor in info.inputs] == [FIRST_BYTES, SECOND_BYTES]
    dice, before = np.random.default_rng(0), client.status().windows
    cases = [[dice.bytes(FIRST_BYTES), dice.bytes(SECOND_BYTES)] for _ in range(10)]
    for number, (case, inference) in enumerate(zip(cases, client.infer_all(cases), strict=True), before + 1):
        assert struct.unpack("<HH", inference.outputs[0]) == (crc16.ibm_3740(b"".join(case)), number)
        assert inference.outputs[1] == case[0]
        assert inference.invoke_ticks == 7
    assert client.status().windows == before + len(cases)


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        (0x03, b"", "not available in this build: this model has no windows"),
        (0x09, struct.pack("<BI", 2, 0), "no such input"),
        (0x09, struct.pack("<BI", 0, FIRST_BYTES) + b"x", "beyond the end"),
        (0x09, struct.pack("<BI", 1, 5) + b"abcd", "beyond the end"),
        (0x09, struct.pack("<BI", 0, 2**32 - 1) + b"ab", "beyond the end"),
        (0x09, b"\0\0\0\0", "length"),
        (0x0A, b"x", "length"),
        (0x0B, struct.pack("<BIB", 2, 0, 1), "no such output"),
        (0x0B, struct.pack("<BIB", 0, 5, 1), "beyond the end"),
        (0x0B, struct.pack("<BIB", 1, 0, 250), "exceeds a frame"),
        (0x0B, b"\0", "length"),
    ],
)
def test_what_cannot_be_executed_is_refused_and_the_session_goes_on(
    client: Client, kind: int, body: bytes, why: str
) -> None:
    with pytest.raises(DeviceError, match=why):
        client._call(Message(kind), body)
    assert len(client.infer([bytes(FIRST_BYTES), bytes(SECOND_BYTES)]).outputs) == 2


def test_an_engine_that_fails_is_reported(library: Path, tmp_path: Path) -> None:
    server = FirmwareOnHost(library)
    client = connect(library, tmp_path)
    client.hello()
    server.library.host_break_engine(True)
    try:
        with pytest.raises(DeviceError, match="the engine failed"):
            client.infer([bytes(FIRST_BYTES), bytes(SECOND_BYTES)])
    finally:
        server.library.host_break_engine(False)
