"""An application that uses nothing of ours but the protocol library, and what it gets that lies."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from support.device_helpers import FakeClock, MemoryConnection, recording
from support.fake_device import FakeDevice
from support.firmware_helpers import PROTOCOL, FirmwareOnHost
from support.lossy_connection import LossyConnection, at_random
from tflm_hil.device.client import Client
from tflm_hil.device.identity import Layout, check_identity, check_layout
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError
from tflm_hil.recordings.windows import windows

APPLICATION = Path(__file__).parents[1] / "support" / "own_application.c"
WINDOW, STRIDE, CHANNELS = 4, 3, 2
INT16 = np.dtype(np.int16)
HASH = bytes([7] * 8) + bytes(24)


def connect(tmp_path: Path, *flags: str, loss: float = 0.0, library: Path = PROTOCOL) -> Client:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc on PATH")
    built = tmp_path / "own.so"
    sources = [str(path) for path in library.rglob("*.c")]
    strict = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run(["gcc", *strict, *flags, f"-I{library}", "-o", built, APPLICATION, *sources], check=True)
    clock = FakeClock()
    line = MemoryConnection(cast(FakeDevice, FirmwareOnHost(built)), clock)
    log = UartLog(tmp_path / "log", clock)
    return Client(LossyConnection(line, at_random(1, loss)), log, 1.0, retries=50, clock=clock)


@pytest.mark.parametrize("loss", [0.0, 0.1])
def test_every_window_is_answered_though_one_short_message_is_under_way_at_a_time(tmp_path: Path, loss: float) -> None:
    client = connect(tmp_path, loss=loss)
    info = client.hello()
    assert (info.credits, info.max_body, info.build_id) == (1, 80, bytes(20))
    check_layout(info, Layout(WINDOW, STRIDE, CHANNELS, ((INT16, 8),), ((INT16, 1),)))
    samples = recording(60, CHANNELS)
    answers = [struct.unpack("<h", result.outputs)[0] for result in client.stream(samples)]
    assert answers == [int(window.sum(dtype=np.int16)) for window in windows(samples, WINDOW, STRIDE)]


def test_a_counter_that_stands_still_is_told(tmp_path: Path) -> None:
    client = connect(tmp_path, "-DTICKS=0")
    client.hello()
    with pytest.raises(DeviceError, match=r"measured 0 ticks for the preparation of window 0.*counter stands still"):
        client.stream(recording(10, CHANNELS))


def test_one_that_says_that_it_has_no_counter_is_believed(tmp_path: Path) -> None:
    client = connect(tmp_path, "-DTICKS=0", "-DCOUNTER=HIL_COUNTER_NONE")
    client.hello()
    assert len(client.stream(recording(10, CHANNELS))) == 3


def test_tensors_that_are_not_the_models_are_named(tmp_path: Path) -> None:
    info = connect(tmp_path, "-DELEMENTS=9").hello()
    with pytest.raises(DeviceError, match=r"reports inputs \[9 x int16\], but the model has \[8 x int16\]"):
        check_layout(info, Layout(WINDOW, STRIDE, CHANNELS, ((INT16, 8),), ((INT16, 1),)))


def test_another_protocol_version_is_named(tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(PROTOCOL, newer)
    header = newer / "tflm_hil.h"
    header.write_text(header.read_text().replace("HIL_PROTOCOL_VERSION 1", "HIL_PROTOCOL_VERSION 2"))
    with pytest.raises(DeviceError, match=r"speaks protocol version 2, this harness version 1"):
        connect(tmp_path, library=newer).hello()


def test_another_model_and_a_build_id_that_is_not_handed_over_are_named(tmp_path: Path) -> None:
    info = connect(tmp_path).hello()
    check_identity(info, bytes(20), HASH)
    with pytest.raises(DeviceError, match=r"runs model 070707070707, but the test expects 000000000000"):
        check_identity(info, bytes(20), bytes(32))
    with pytest.raises(DeviceError, match=r"reports no build id.*report it in describe\(\)"):
        check_identity(info, bytes(range(20)), HASH)
