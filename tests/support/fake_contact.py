"""Contacts with boards in memory, on a clock that only waiting moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tflm_hil.boards.counters import CycleCounter
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.errors import HilError, LineError
from tflm_hil.lab.contact import Contact
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.lab.options import Flash

from support.device_helpers import FakeClock, MemoryConnection, checksum, swapped
from support.fake_device import FakeDevice, Image, Misbehaviour

IMAGE = Image()
BUILD, OTHER = IMAGE.build_id[:6].hex(), bytes(range(100, 120))
FIRMWARE: Any = SimpleNamespace(
    image=SimpleNamespace(build_id=IMAGE.build_id, elf=None),
    variant=SimpleNamespace(sha256=IMAGE.model_hash),
    name="gesture-int8",
    model=SimpleNamespace(windowed=True, window=IMAGE.window, stride=IMAGE.stride),
)


class Broken(MemoryConnection):
    """A line that breaks as soon as it is read."""

    def read(self, timeout: float) -> bytes:  # noqa: ARG002
        raise LineError("fake: the serial line broke")


class FakeBoard:
    """Each connection leads to the next of `devices`; the last of them stays. None is a line that breaks.

    Flashing makes another device of it, `flashed`, which is refused where that is an error.
    """

    name = "fake"
    emulator = None
    persistent = True
    link = "uart"

    def __init__(self, clock: FakeClock, *devices: FakeDevice | None) -> None:
        self.connected = 0
        self.said = ""
        self.flashes = 0
        self.flashed: FakeDevice | HilError | None = None
        self._clock = clock
        self._devices = devices

    def connect(self) -> MemoryConnection:
        device = self._devices[min(self.connected, len(self._devices) - 1)]
        self.connected += 1
        kind = Broken if device is None else MemoryConnection
        return kind(device or healthy(), self._clock)

    def flash(self, _image: object, _say: object) -> str:
        self.flashes += 1
        if isinstance(self.flashed, HilError):
            raise self.flashed
        if self.flashed is not None:
            self._devices = (self.flashed,)
        return "tool ended with 0 and said: programmed 0 bytes; see flash.log"

    def check(self, info: DeviceInfo) -> None:
        CycleCounter("Cortex-M4").check(info)

    def trouble(self) -> str:
        return self.said

    def unit(self, _info: object) -> str:
        return "cycles"

    def counts(self, _info: object, ticks: int) -> int:
        return ticks


def healthy(misbehaviour: Misbehaviour | None = None, **more: Any) -> FakeDevice:
    def infer(inputs: list[bytes]) -> list[bytes]:
        return [swapped(inputs)[0][: IMAGE.outputs[0].shape[1]]]

    return FakeDevice(IMAGE, checksum, misbehaviour, infer, **more)


def running(build_id: bytes) -> FakeDevice:
    return FakeDevice(replace(IMAGE, build_id=build_id), checksum)


class Bench:
    """A contact with a board, on a clock that only waiting moves."""

    def __init__(self, folder: Path, clock: FakeClock, devices: tuple[FakeDevice | None, ...]) -> None:
        self.board: Any = FakeBoard(clock, *devices)
        self._contact = Contact()
        self._folder = folder
        self.clock = clock

    @contextmanager
    def session(self, flash: Flash = Flash.NEVER, build_id: bytes = IMAGE.build_id) -> Iterator[DeviceUnderTest]:
        image = SimpleNamespace(build_id=build_id, elf=None, elf_sha256=build_id.hex())
        firmware: Any = SimpleNamespace(**vars(FIRMWARE) | {"image": image})
        nothing: Any = None
        log = self._folder / "uart.log"
        with self._contact.connected(self.board, firmware, nothing, log, flash) as device:
            yield device

    def refusal(self, flash: Flash = Flash.NEVER, build_id: bytes = IMAGE.build_id) -> str:
        with pytest.raises(HilError) as caught, self.session(flash, build_id):
            pass
        return str(caught.value)
