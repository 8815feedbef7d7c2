"""Programs that QEMU runs to their end: no board, no serial line, only an argument and an exit status."""

import subprocess
from pathlib import Path

from tflm_hil.boards.qemu.board import QEMU, emulation_of, version
from tflm_hil.errors import HilError
from tflm_hil.targets import Target

SECONDS = 60.0
"""One inference of the largest of the MLPerf Tiny networks takes less than one."""


def command_line(machine: str, elf: Path, argument: str) -> list[str]:
    """The arguments that run `elf`, which may ask for `argument` and end QEMU through semihosting."""
    return [
        QEMU,
        *("-M", machine),
        *("-display", "none", "-monitor", "none", "-nodefaults", "-no-reboot"),
        *("-semihosting-config", f"enable=on,target=native,arg={argument}"),
        *("-kernel", str(elf)),
    ]


def run(target: Target, elf: Path, argument: str) -> int | None:
    """Run `elf` on the emulated `target`; its exit status, None if it does not end.

    Raises:
        HilError: QEMU is missing or does not start.
    """
    version()
    argv = command_line(emulation_of(target).machine, elf, argument)
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode == 1:  # its own status for what it cannot do
        raise HilError(f"{QEMU} does not run {elf}: {' '.join(done.stderr.split())}")
    return done.returncode
