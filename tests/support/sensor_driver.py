"""Drivers of sensors, compiled for the host with a register-level model of the sensor on their bus."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tflm_hil.models.manifest import Channel

from support.firmware_helpers import LIBRARIES, FirmwareOnHost, compile_for_host

Rows = NDArray[np.int16]
"""[rows, 6]: acceleration, then angular rate, in counts."""

CHANNELS = [
    *(Channel(f"a{axis}", "g", 8192.0, -4.0, 4.0) for axis in "XYZ"),
    *(Channel(f"g{axis}", "dps", 16.4, -2000.0, 2000.0) for axis in "XYZ"),
]


def compile_driver(folder: Path, driver: str, address: int, *model: str) -> Path:
    """Compile our firmware with `driver` of firmware/lib/sensor and the files of `model` in tests/support."""
    sources = [str(LIBRARIES / "sensor" / f"{driver}.c"), *(str(Path(__file__).parent / name) for name in model)]
    options = ["-shared", "-fPIC", f"-DBOARD_SENSOR_ADDRESS={address}", *sources, f"-I{LIBRARIES / 'sensor'}"]
    return compile_for_host(folder, "sensor.so", *options, channels=CHANNELS)


class DriverOnHost(FirmwareOnHost):
    """The firmware with a driver of a sensor."""

    def start(self) -> str | None:
        return self._text(self.library.sensor_start)

    def next(self) -> Rows | str:
        row = (ctypes.c_int16 * 6)()
        problem = self._text(self.library.sensor_next, row)
        return np.array(row, np.int16) if problem is None else problem

    def rows(self, count: int) -> Rows:
        found = [self.next() for _ in range(count)]
        assert not [problem for problem in found if isinstance(problem, str)]
        return np.array(found, np.int16)

    @staticmethod
    def _text(function: ctypes._NamedFuncPointer, *arguments: object) -> str | None:
        function.restype = ctypes.c_char_p
        text: bytes | None = function(*arguments)
        return None if text is None else text.decode()
