"""Ask who is behind a port, without a reset and without waiting for long."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tflm_hil.boards.serial.board import SerialLine
from tflm_hil.device.connection import SerialConnection
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.handshake import Handshake
from tflm_hil.device.link import Link
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import MuteError
from tflm_hil.targets.target import Uart

ATTEMPT_S = 0.5
_RETRIES = 1


def ask(port: str, uart: Uart, bauds: Sequence[int], name: str) -> DeviceInfo:
    """Send HELLO at each of `bauds` until something answers.

    `uart` says how the port is opened, and `name` is for errors. Raises HilError if the port cannot be opened,
    MuteError if nothing answers at any rate, and DeviceError if what answers is no device to work with.
    """
    line = SerialLine.at(port, msgspec.structs.replace(uart, baud=bauds[0]), name)
    try:
        connection = line.open()
        with UartLog(Path(os.devnull)) as log:
            for baud in bauds:
                if isinstance(connection, SerialConnection):
                    connection.set_baud(baud)
                try:
                    return Handshake(Link(connection, log, name)).run(ATTEMPT_S, _RETRIES)
                except MuteError as error:
                    silence = error
        raise silence
    finally:
        line.close()
        line.release()
