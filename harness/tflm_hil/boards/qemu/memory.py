"""The memory of an emulated machine: that of QEMU's own process, which Linux shows to the parent of a process."""

import errno
import os
import re
from collections.abc import Callable, Sequence

from tflm_hil.errors import HilError

_ANSWER = re.compile(r"Host virtual address for \S+ \(.*\) is 0x([0-9a-f]+)")


class ProcessMemory:
    """The parts `ram` of the machine that the process `pid` emulates; see Memory.

    `ask` executes a command for humans in QEMU's monitor. Raises HilError or OSError where the memory cannot be had.
    """

    shortest_pause_s = 50e-6

    def __init__(self, pid: int, ram: Sequence[range], ask: Callable[[str], str]) -> None:
        self._offsets = {part: _where(part, ask) - part.start for part in ram}
        self._file: int | None = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)
        try:
            self.read(ram[0].start, 1)  # A system may let it be opened, and no more.
        except OSError:
            self.close()
            raise

    def read(self, address: int, size: int) -> bytes:
        """See Memory."""
        data = os.pread(self._descriptor, size, self._place(address, size))
        if len(data) != size:  # The process has ended.
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
        return data

    def write(self, address: int, data: bytes) -> None:
        """See Memory."""
        if os.pwrite(self._descriptor, data, self._place(address, len(data))) != len(data):
            raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))

    def resume(self) -> None:
        """See Memory. Nothing has stopped."""

    def close(self) -> None:
        """See Memory."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def _descriptor(self) -> int:
        if self._file is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._file

    def _place(self, address: int, size: int) -> int:
        for part, offset in self._offsets.items():
            if address in part and address + size <= part.stop:
                return address + offset
        raise OSError(errno.EFAULT, f"0x{address:08x} is not in RAM")


def _where(part: range, ask: Callable[[str], str]) -> int:
    """Return where in QEMU's memory a part of the machine's begins. Raises HilError where it is not in one piece."""
    first, last = (_host_address(address, ask) for address in (part.start, part.stop - 1))
    if last - first != len(part) - 1:
        raise HilError(f"QEMU has the RAM at 0x{part.start:08x} in several pieces")
    return first


def _host_address(address: int, ask: Callable[[str], str]) -> int:
    said = ask(f"gpa2hva 0x{address:x}")
    if (found := _ANSWER.match(said)) is None:
        raise HilError(f"QEMU's monitor does not tell where it has 0x{address:08x}: {said.strip()}")
    return int(found[1], 16)
