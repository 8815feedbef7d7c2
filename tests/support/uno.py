"""An Arduino Uno with an MPU6050, emulated: our sketch in simavr, its serial port on a pseudo-terminal."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from support.firmware_helpers import ROOT
from support.needs import skip_without_packages
from support.once import once

Rows = NDArray[np.int16]
"""What the sensor senses: [rows, 6] in counts of 4 g and 2000 dps, 50 rows a second."""

STILL: Rows = np.array([-310, 420, 8100, 25, -13, 7], np.int16)
"""A sensor that lies still, with offsets."""
GESTURE_ROWS = 30
PRETRIGGER_ROWS = 5

_SKETCH = ROOT / "firmware" / "uno"
_SUPPORT = Path(__file__).parent
_PACKAGES = {
    "gcc": "gcc",
    "avr-gcc": "gcc-avr",
    "/usr/lib/avr/include/avr/io.h": "avr-libc",
    "/usr/share/arduino/hardware/arduino/avr/cores/arduino/Arduino.h": "arduino-core-avr",
    "/usr/include/simavr/sim_avr.h": "libsimavr-dev",
}


def session(gestures: Sequence[Rows], still: Rows = STILL) -> Rows:
    """Return what a sensor senses that lies `still` at first, as calibration asks for, and between `gestures`."""
    begin, pause = np.tile(still, (90, 1)), np.tile(still, (40, 1))
    parts = [begin, *(part for gesture in gestures for part in (gesture, pause))]
    return np.concatenate(parts).astype(np.int16)


@contextmanager
def emulated_uno(rows: Rows, sensor: str = "0x68", loose_at: int = 0, busy_at: int = 0) -> Iterator[str]:
    """Yield the serial port of a Uno whose sensor senses `rows`, from the start each time the port is opened.

    `sensor` is what its WHO_AM_I says, or `absent`; at row `loose_at` it loses its power for half a second, and at
    row `busy_at` the Uno is busy for two seconds. The Uno runs as fast as the machine and whoever reads allow. After
    the last row, which the sensor goes on sensing, it stands still when it has printed nothing for two seconds of its
    own, until something is sent. Skips the test if tools are missing.
    """
    skip_without_packages(_PACKAGES)
    board, sketch = once("uno-board", _compile_board) / "uno_board", once("uno-sketch", _compile_sketch) / "uno.elf"
    with tempfile.NamedTemporaryFile(suffix=".rows") as file:
        file.write(rows.tobytes())
        file.flush()
        command = [str(board), str(sketch), file.name, sensor, str(loose_at), str(busy_at)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                port = process.stdout.readline().strip()
                assert port, "the board does not start"
                yield port
                assert process.poll() is None, "the board ended"
            finally:
                process.kill()


def _compile_board(folder: Path) -> None:
    sources = [_SUPPORT / "uno_board.c", _SUPPORT / "mpu6050_model.c"]
    options = ["-O2", "-std=gnu11", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *options, "-o", str(folder / "uno_board"), *map(str, sources), "-lsimavr"], check=True)


def _compile_sketch(folder: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    command = ["make", "--silent", "-f", str(_SKETCH / "Makefile"), f"BUILD={folder}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=variables)
