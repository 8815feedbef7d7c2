"""What the sketch of docs/capture.md prints, and a port at which something prints."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.typing import NDArray
from tflm_hil.boards.serial.board import SerialLine
from tflm_hil.device.connection import Connection

HEAD = """\
# sensor: MPU6050
# accelerometer_range_g: 4
# gyroscope_range_dps: 2000
# rate_hz: 50
# rows: 30
# calibration: hold the sensor still
# offsets: 31,-12,8170,5,-7,2
# threshold_g: 0.50
# pretrigger_rows: 5
# ready
"""


def counts(gestures: int, rows: int = 30, seed: int = 0) -> NDArray[np.int16]:
    """Random gestures [gestures, rows, 6] in counts, none of them at the rail."""
    return np.random.default_rng(seed).integers(-30_000, 30_000, (gestures, rows, 6), dtype=np.int16)


def text_of(gestures: NDArray[np.int16], end: str = "\n") -> str:
    """The lines that the sketch prints for these, in g and dps."""
    scale = np.array([8192.0] * 3 + [16.4] * 3)
    return "".join(
        "".join(
            ",".join(f"{value:.{4 if at < 3 else 2}f}" for at, value in enumerate(row / scale)) + end for row in gesture
        )
        + end
        for gesture in gestures
    )


class PrintingPort:
    """A terminal that a thread of this process prints `pieces` on; what comes the other way is `received`.

    With `again` they are printed again and again, as fast as they are read.
    """

    def __init__(self, pieces: Sequence[bytes], again: bool) -> None:
        self.pieces = list(pieces)
        self.received = b""
        self._again = again
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self._plugged = True
        self._stopping = False
        self._changed = threading.Condition()

    def run(self) -> None:
        """Print until `stop`."""
        pending = b""
        while not self._stopping:
            if not pending and self.pieces:
                pending = self.pieces[0] if self._again else self.pieces.pop(0)
            with self._changed:
                if not self._plugged:
                    return
                readable, writable, _ = select.select([self._master], [self._master] if pending else [], [], 0.02)
                if readable:
                    self.received += os.read(self._master, 4096)
                    self._changed.notify_all()
                if writable:
                    pending = pending[os.write(self._master, pending[:512]) :]

    def wait_for(self, data: bytes) -> None:
        """Wait until `data` is among what was received."""
        with self._changed:
            assert self._changed.wait_for(lambda: data in self.received, 10)

    def unplug(self) -> None:
        """Take the terminal away."""
        with self._changed:
            if self._plugged:
                self._plugged = False
                os.close(self._slave)
                os.close(self._master)

    def stop(self) -> None:
        """Print nothing more."""
        self._stopping = True


@contextmanager
def printing(*pieces: bytes, again: bool = False) -> Iterator[PrintingPort]:
    """A port at which `pieces` are printed from now on."""
    port = PrintingPort(pieces, again)
    thread = threading.Thread(target=port.run)
    thread.start()
    try:
        yield port
    finally:
        port.stop()
        thread.join()
        port.unplug()


@contextmanager
def resetting(monkeypatch: pytest.MonkeyPatch, *pieces: str) -> Iterator[PrintingPort]:
    """A port at which printing begins when it is opened, as that resets an Arduino."""
    with printing() as port:
        opened = SerialLine.open

        def open_and_print(line: SerialLine) -> Connection:
            connection = opened(line)
            port.pieces += [piece.encode() for piece in pieces]
            return connection

        monkeypatch.setattr(SerialLine, "open", open_and_print)
        yield port
