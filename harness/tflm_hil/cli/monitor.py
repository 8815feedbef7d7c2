"""`hil monitor`: what a board says, or said, decoded."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tflm_hil.boards.serial import port_name
from tflm_hil.cli.working import nearest_configuration, serial_line
from tflm_hil.commands.monitor import Monitor
from tflm_hil.device.text import printable
from tflm_hil.device.traffic import read_traffic
from tflm_hil.errors import LineError

_SILENCE_S = 0.5
"""When nothing has come for so long, nothing that belongs to what came before will come."""

PORT_HELP = "a port, a name of hil-boards.toml, auto, or a file of --hil-record-traffic"


def monitor(
    port: Annotated[str, typer.Argument(metavar="PORT", help=PORT_HELP)],
    elf: Annotated[
        Path | None,
        typer.Option("--elf", help="the program that runs there: crashes are told with functions and lines"),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", help="the chip, which knows the baud rate (default: the project's, or stm32f4)"),
    ] = None,
) -> None:
    """Show what passes on a line, decoded, until Ctrl-C: BOOT, LOG, crashes, answers, and text that is no frame.

    Nothing is sent, and the board is not reset, unless opening its port resets it. In a file of recorded traffic there
    are requests as well.

    Example: hil monitor /dev/ttyACM0 --elf .hil/firmware/gesture-int8-stm32f4_aot/build/stm32f4_aot/program.elf
    """
    decoder = Monitor(elf)
    file = Path(port)
    recorded = not port_name.why_not_there(file) and file.is_file()
    lines = _recorded(file, decoder) if recorded else _live(port, target, decoder)
    with contextlib.suppress(KeyboardInterrupt):
        for seconds, line in lines:
            print(f"{seconds:10.4f} {line}", flush=True)


def _recorded(file: Path, decoder: Monitor) -> Iterator[tuple[float, str]]:
    traffic = read_traffic(file)
    head = traffic.head
    what = f"{head.model}-{head.variant}-{head.engine}-{head.target}, build {head.build_id}"
    yield 0.0, f"-- recorded {head.created} on {head.board}: {what}"
    for number, entries in enumerate(traffic.connections, 1):
        seconds = entries[0].seconds if entries else 0.0
        yield seconds, f"-- connection {number}"
        for entry in entries:
            seconds = entry.seconds
            if entry.kind == "broke":
                yield seconds, f"-- the line broke: {printable(entry.text.encode())}"
            else:
                found = decoder.sent(entry.data) if entry.kind == ">" else decoder.received(entry.data)
                yield from ((seconds, line) for line in found)
        yield from ((seconds, line) for line in decoder.silence())


def _live(port: str, target: str | None, decoder: Monitor) -> Iterator[tuple[float, str]]:
    with nearest_configuration() as configuration:
        line, name = serial_line(port, target, configuration)
    started = time.monotonic()
    try:
        connection = line.open()
        print(f"hil: listening to {name}; end with Ctrl-C", file=sys.stderr)
        while True:
            try:
                data = connection.read(_SILENCE_S)
            except LineError as error:
                yield time.monotonic() - started, f"-- {error}"
                connection = line.open()  # which waits for a port that has gone
                continue
            found = decoder.received(data) if data else decoder.silence()
            yield from ((time.monotonic() - started, text) for text in found)
    finally:
        line.close()
        line.release()
