"""A program under a debugger: what to type, and a recording that is streamed however long the program is halted."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import HilError
from tflm_hil.firmware.backtrace.program import Program
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.lab.build import Firmware
from tflm_hil.recordings import Recording
from tflm_hil.targets import FLASH

_DEBUGGERS = ("arm-none-eabi-gdb", "gdb-multiarch")

_FAULTS = range(3, 7)
"""Vectors of hard fault, memory management fault, bus fault and usage fault: ARM DDI 0403E, B1.5.2."""

_PATIENCE_S, _RETRIES = 600.0, 1000
"""A person looks at a halted program for hours."""


class GdbServer(Protocol):
    """A GDB server of a core that does not run yet."""

    @property
    def address(self) -> str:
        """What GDB's `target remote` takes."""

    @property
    def commands(self) -> tuple[str, ...]:
        """What GDB has to do before anything else."""

    def line(self) -> Connection:
        """Return the UART of the board. Raises HilError."""

    def ended(self, seconds: float) -> bool:
        """Return whether the server has ended; wait `seconds` for that."""

    def close(self) -> None:
        """End the server; closing twice is harmless."""


def gdb_command(image: FirmwareImage, server: GdbServer) -> str:
    """Return the command line that attaches GDB and runs the program, with breakpoints at main() and where faults go.

    Raises HilError if the program is for another core than a Cortex-M.
    """
    program = next((name for name in _DEBUGGERS if shutil.which(name)), _DEBUGGERS[-1])
    # Those for main() go when it is reached: a reset by the harness must not stop there.
    steps = [f"target remote {server.address}", *server.commands]
    steps += [f"break {handler}" for handler in _fault_handlers(image)] + ["tbreak main", "continue"]
    return shlex.join([program, str(image.elf), *(word for step in steps for word in ("-ex", step))])


def feed(connection: Connection, firmware: Firmware, recording: Recording, log: Path) -> Iterator[str]:
    """Stream `recording` to the program as soon as it runs; yield lines that tell how it goes.

    Raises DeviceError if the program crashes, reboots or sends nonsense.
    """
    with UartLog(log) as uart_log:
        client = Client(connection, uart_log, _PATIENCE_S, _RETRIES, name=firmware.name)
        client.runs(firmware.image.elf)
        yield "waiting for the program to run"
        client.hello()
        yield f"streaming {recording.name}"
        windows = client.stream(recording.samples)
        yield f"{recording.name}: {len(windows)} windows are answered"


def _fault_handlers(image: FirmwareImage) -> list[str]:
    """Where faults go, as GDB names it."""
    if not image.target.core.startswith("Cortex-M"):
        raise HilError(f"{image.target.name} is no Cortex-M: `hil debug` knows no other core")
    program = Program(image.elf)
    vectors = image.target.memory[FLASH].origin
    handlers = {program.word(vectors + 4 * number) for number in _FAULTS} - {None, 0}
    return [program.function(handler & ~1) or f"*0x{handler & ~1:08x}" for handler in sorted(filter(None, handlers))]
