"""A port of which it is not known yet who is there: our firmware, or a sketch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from tflm_hil.capture.listening import listen
from tflm_hil.cli.working import serial_line, status
from tflm_hil.configuration import Configuration
from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.targets import find_targets, load_targets

SKETCH_BAUD = 115_200

SketchBaud = Annotated[int, typer.Option("--baud", help="the rate of a sketch's port")]


@dataclass(frozen=True)
class Heard:
    """Who is at the port `name`: our firmware if there is `info`, else a sketch that has said `text`."""

    name: str
    connection: Connection
    info: DeviceInfo | None
    text: bytes


@contextmanager
def listening(configuration: Configuration, port: str, target: str | None, baud: int) -> Iterator[Heard]:
    """Open `port`, and find out who is there. Raises HilError if it cannot be opened."""
    known = load_targets(configuration.targets)
    line, name = serial_line(port, target, configuration, baud)
    wanted = find_targets(known, (target,)) if target is not None else known.values()
    rates = list(dict.fromkeys(each.uart.baud for each in wanted if each.sensor))
    try:
        with status(f"listening to {name}"):
            connection = line.open()
            info, text = listen(connection, name, baud, rates)
        yield Heard(name, connection, info, text)
    finally:
        line.close()
        line.release()
