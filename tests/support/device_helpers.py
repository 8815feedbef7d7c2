"""A client, a device and the line between them, all in memory, with a clock that the tests control."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.messages import WindowResult
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import LineError

from support.fake_device import FakeDevice, Image, Misbehaviour
from support.lossy_connection import LossyConnection, Plan


class FakeClock:
    """A clock in seconds that advances only if something waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class MemoryConnection:
    """A line to a device that answers at once. Waiting in vain advances only the fake clock."""

    def __init__(self, device: FakeDevice, clock: FakeClock) -> None:
        self.written = b""
        self._device = device
        self._clock = clock
        self._arriving = b""

    def write(self, data: bytes) -> None:
        self.written += data
        self.arrives(self._device.feed(data))

    def arrives(self, data: bytes) -> None:
        """Append `data` to what the client will read."""
        self._arriving += data

    def read(self, timeout: float) -> bytes:
        if not self._arriving and self._device.gone:
            raise LineError("the serial line broke: the device has left")
        if not self._arriving:
            self._clock.now += timeout
        data, self._arriving = self._arriving, b""
        return data

    def close(self) -> None:
        pass


def checksum(window: NDArray[np.int16]) -> bytes:
    """Replaces a network: return four bytes that depend on every sample of the window."""
    return zlib.crc32(window.astype("<i2").tobytes()).to_bytes(4, "little")


def swapped(inputs: list[bytes]) -> list[bytes]:
    """Replaces a network with as many outputs as inputs: return the inputs in reverse order with all bits flipped."""
    return [bytes(byte ^ 0xFF for byte in content) for content in reversed(inputs)]


@dataclass
class Bench:
    """A client that has not opened a session yet, and everything around it."""

    device: FakeDevice
    client: Client
    connection: Connection
    line: MemoryConnection
    clock: FakeClock
    log: UartLog


def bench(
    tmp_path: Path,
    image: Image | None = None,
    misbehaviour: Misbehaviour | None = None,
    plan: Plan | None = None,
    retries: int = 3,
) -> Bench:
    clock = FakeClock()
    device = FakeDevice(image or Image(), checksum, misbehaviour, swapped)
    line = MemoryConnection(device, clock)
    connection: Connection = line if plan is None else LossyConnection(line, plan)
    log = UartLog(tmp_path / "uart.log", clock)
    client = Client(connection, log, timeout=1.0, retries=retries, clock=clock)
    return Bench(device, client, connection, line, clock, log)


def recording(rows: int, channels: int = 3, seed: int = 0) -> NDArray[np.int16]:
    """Random rows over the whole range of int16."""
    return np.random.default_rng(seed).integers(-32768, 32768, (rows, channels), dtype=np.int16)


def expected_outputs(samples: NDArray[np.int16], window: int, stride: int) -> list[bytes]:
    """The `checksum` of every window, by the definition of window and stride."""
    return [checksum(samples[at : at + window]) for at in range(0, len(samples) - window + 1, stride)]


def check_windows(results: list[WindowResult], samples: NDArray[np.int16], image: Image) -> None:
    assert [result.index for result in results] == list(range(len(results)))
    assert [result.outputs for result in results] == expected_outputs(samples, image.window, image.stride)
