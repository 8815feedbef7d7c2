"""Find out who is behind a port: our firmware, which answers HELLO, or a sketch that prints lines."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from tflm_hil.device.connection import Connection, SerialConnection
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.handshake import Handshake
from tflm_hil.device.link import Link
from tflm_hil.device.timeout import Deadline
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import MuteError

LISTEN_S = 3.0
"""An Arduino that opening its port has reset says something after two."""

_READ_S = 0.05
_ATTEMPT_S = 0.5
_TEXT_SHARE = 0.9


def listen(connection: Connection, name: str, baud: int, others: Sequence[int]) -> tuple[DeviceInfo | None, bytes]:
    """Return what our firmware says of itself, or None and what a sketch has said at `baud`, which may be nothing.

    The connection is open at `baud`; our firmware is looked for there and at the `others`, and is left at the rate at
    which it answers. Raises DeviceError if what answers is no device to work with.
    """
    heard = b""
    deadline = Deadline(LISTEN_S, time.monotonic)
    while not deadline.expired:
        heard += connection.read(_READ_S)
        if _is_text(heard):
            return None, heard
    with UartLog(Path(os.devnull)) as log:
        for rate in [other for other in others if other != baud] + [baud]:
            _set_baud(connection, rate)
            try:
                return Handshake(Link(connection, log, name)).run(_ATTEMPT_S, retries=0), b""
            except MuteError:
                continue
    return None, heard


def _is_text(data: bytes) -> bool:
    printable = sum(32 <= byte < 127 or byte in b"\t\r\n" for byte in data)
    return b"\n" in data and printable > _TEXT_SHARE * len(data)


def _set_baud(connection: Connection, baud: int) -> None:
    if isinstance(connection, SerialConnection):
        connection.set_baud(baud)
