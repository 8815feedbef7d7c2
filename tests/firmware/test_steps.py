"""The requests that measure steps, in the firmware compiled for the host: its step number i takes i ticks."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from support.device_helpers import FakeClock, MemoryConnection
from support.fake_device import FakeDevice
from support.firmware_helpers import FirmwareOnHost, compile_for_host
from support.lossy_connection import LossyConnection, at_random
from tflm_hil.device.client import Client
from tflm_hil.device.steps import Steps
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import RefusedError

STEPS = 150
CASE = [bytes(600), bytes(8)]


def connect(library: Path, tmp_path: Path, rate: float = 0.0) -> Client:
    clock = FakeClock()
    line = MemoryConnection(cast(FakeDevice, FirmwareOnHost(library)), clock)
    lossy = LossyConnection(line, at_random(2, rate))
    client = Client(lossy, UartLog(tmp_path / "log", clock), 1.0, retries=50, clock=clock)
    client.hello()
    return client


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("steps")
    return compile_for_host(
        folder, "firmware.so", "-shared", "-fPIC", "-DHIL_PROFILE=1", windowed=False, operators=STEPS + 1
    )


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_only_the_next_inference_measures_its_steps_and_all_of_them_arrive(
    library: Path, tmp_path: Path, rate: float
) -> None:
    client = connect(library, tmp_path, rate)
    expected = Steps(2, [2 + i for i in range(STEPS)])  # reading the counter takes two ticks
    for _ in range(2):
        plain = client.infer(CASE)
        client.profile()
        assert client.steps().ticks == [], "those of an earlier inference are forgotten"
        marked = client.infer(CASE)
        assert client.steps() == expected
        assert np.array_equal(plain.outputs[1], marked.outputs[1])
        client.infer(CASE)
        assert client.steps() == expected, "an inference that measures none leaves them alone"


def test_an_image_that_measures_no_steps_knows_no_such_request(tmp_path: Path) -> None:
    library = compile_for_host(tmp_path, "tested.so", "-shared", "-fPIC", windowed=False, operators=STEPS + 1)
    client = connect(library, tmp_path)
    for request in (client.profile, client.steps):
        with pytest.raises(RefusedError, match="unknown request"):
            request()
    assert client.infer(CASE).invoke_ticks == 7
