"""A debug probe and a blank nRF51: real tools really flash an emulated chip.

    OpenOCD: remote_bitbang, JTAG  --.
                                      +--> debug port, access port, debug registers --> QEMU's gdbstub and monitor
    pyOCD: remote probe            --'

QEMU's `microbit` emulates the flash controller (NVMC), so that the flash loaders of the tools run on the emulated core,
against an emulated controller. Its UART is a terminal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[2]
CONFIG = Path(__file__).with_name("openocd.cfg")
"""What OpenOCD is to read, after another file that sets PROBE to its port."""


@dataclass(frozen=True)
class SimulatedProbe:
    """`terminal` is the chip's UART, `pyocd` and `openocd` are the ports for these tools."""

    terminal: str
    pyocd: int
    openocd: int


@contextmanager
def running(elf: Path | None = None) -> Iterator[SimulatedProbe]:
    """Start a probe with a chip in a separate process. It is blank, or `elf` is in its flash already."""
    argv = [sys.executable, "-m", "support.simulated_probe", *([str(elf)] if elf else [])]
    paths = [str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield SimulatedProbe(**json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()
