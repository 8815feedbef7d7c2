"""An nRF51 as a debugger sees it: memory, and the debug registers of its Cortex-M0, which QEMU does not have.

The registers are those of the ARMv6-M Architecture Reference Manual, chapter C1.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from support.simulated_probe.gdbstub import LR, PC, SP, XPSR, GdbStub

FP_CTRL = 0xE000_2000
DFSR, AIRCR = 0xE000ED30, 0xE000ED0C
DHCSR, DCRSR, DCRDR, DEMCR = 0xE000EDF0, 0xE000EDF4, 0xE000EDF8, 0xE000EDFC

DEBUG_KEY, VECTOR_KEY = 0xA05F, 0x05FA
C_DEBUGEN, C_HALT, C_STEP = 1 << 0, 1 << 1, 1 << 2
S_REGRDY, S_HALT, S_LOCKUP, S_RESET_ST = 1 << 16, 1 << 17, 1 << 19, 1 << 25
VC_CORERESET = 1 << 0
HALTED, BKPT, VCATCH = 1 << 0, 1 << 1, 1 << 3
SYSRESETREQ = 1 << 2
REGWNR = 1 << 16
THUMB = 1 << 24

RAM, RAM_BYTES = 0x2000_0000, 0x4000
ROM_TABLE, SCS = 0xE00F_F000, 0xE000_E000
_SCRATCH = RAM + RAM_BYTES - 0x80
_BLANK = (None, b"\xff\xff", b"\0\0")
"""What stands where there is no program: nothing, erased flash, and QEMU's before it was erased."""
_BKPT_REACH = 512
"""A flash loader is no longer than that."""

# nRF51 Reference Manual, FICR: CLENR0, PPFC and CONFIGID. QEMU's chip has a region that was programmed in the factory,
# which tools refuse to erase; this one has none.
_FACTORY = {0x1000_0028: 0xFFFF_FFFF, 0x1000_002C: 0xFFFF_FFFF, 0x1000_005C: 0x001D}

# DCRSR's numbers of registers that have others in GDB; it has none for the rest, which read as 0.
_REGISTERS = {**{number: number for number in range(16)}, 16: XPSR, 17: SP}

# Thumb instructions that store r1 where r0 points to: STR, STRH and STRB.
_STORES = {4: 0x6001, 2: 0x8001, 1: 0x7001}


def _identification(part: int, component: int) -> dict[int, int]:
    """The ID registers of a component of Arm's (ADI v5 specification, chapter 13), by their offsets."""
    peripheral = [0x04, 0, 0, 0, part & 0xFF, 0xB0 | part >> 8, 0x0B, 0]
    return dict(zip(range(0xFD0, 0x1000, 4), [*peripheral, 0x0D, component << 4, 0x05, 0xB1], strict=True))


# A ROM table that names the System Control Space, and is all that a debugger needs to find the core.
_COMPONENTS = {
    **{ROM_TABLE + offset: value for offset, value in _identification(0x471, 1).items()},
    **{SCS + offset: value for offset, value in _identification(0x008, 14).items()},
    ROM_TABLE: (SCS - ROM_TABLE) & 0xFFFF_F000 | 3,
    ROM_TABLE + 4: 0,
}


class Chip:
    """`reset_machine` resets QEMU's machine, which is halted then. Several debuggers may use it, one call at a time."""

    def __init__(self, core: GdbStub, reset_machine: Callable[[], None]) -> None:
        self._core = core
        self._reset_machine = reset_machine
        self._halted = True
        self._locked_up = False
        self._debugged = False
        self._was_reset = False
        self._catches_reset = False
        self._reasons = 0
        self._data = 0
        self._patches = 0
        self._breakpoints: set[int] = set()
        self.lock = threading.RLock()

    def read(self, address: int, count: int) -> bytes | None:
        """Return memory; None where there is none."""
        if count == 4 and (value := self._read_register(address)) is not None:
            return value.to_bytes(4, "little")
        with self._still():
            return self._core.read(address, count)

    def write(self, address: int, data: bytes) -> None:
        """Write memory as a master on the bus does: flash takes what its controller lets through."""
        if len(data) == 4 and self._write_register(address, int.from_bytes(data, "little")):
            return
        with self._still():
            if RAM <= address < RAM + RAM_BYTES:
                self._core.write(address, data)
            else:
                self._store(address, data)

    def reset(self) -> None:
        """Reset the chip; it runs then, unless a debugger catches that."""
        self._halt(0)
        self._reset_machine()
        self._was_reset = True
        if self._debugged and self._catches_reset:
            self._reasons |= VCATCH
        else:
            self._resume()

    def _read_register(self, address: int) -> int | None:
        self._notice_breakpoint()
        if address == DHCSR:
            status = (C_DEBUGEN if self._debugged else 0) | (C_HALT | S_HALT if self._halted else 0) | S_REGRDY
            status |= (S_LOCKUP if self._locked_up else 0) | (S_RESET_ST if self._was_reset else 0)
            self._was_reset = False
            return status
        debug = {DCRDR: self._data, DEMCR: int(self._catches_reset), DFSR: self._reasons, FP_CTRL: self._patches}
        return (debug | _COMPONENTS | _FACTORY).get(address)

    def _write_register(self, address: int, value: int) -> bool:
        if address == DHCSR:
            if value >> 16 == DEBUG_KEY:
                self._control(value)
        elif address == DCRSR:
            self._transfer(value & 0x1F, bool(value & REGWNR))
        elif address == DCRDR:
            self._data = value
        elif address == DEMCR:
            self._catches_reset = bool(value & VC_CORERESET)
        elif address == DFSR:
            self._reasons &= ~value
        elif address == FP_CTRL:
            self._patches = value & 1  # It can be turned on, but has no comparators.
        elif address == AIRCR:
            if value >> 16 == VECTOR_KEY and value & SYSRESETREQ:
                self.reset()
        else:
            return address in _COMPONENTS
        return True

    def _control(self, value: int) -> None:
        self._debugged = bool(value & C_DEBUGEN)
        if self._debugged and value & C_HALT:
            self._halt(HALTED)
        elif self._halted and self._debugged and value & C_STEP:
            self._core.step()
            self._reasons |= HALTED
        elif self._halted:
            self._resume()

    def _transfer(self, number: int, to_core: bool) -> None:
        known = _REGISTERS.get(number)
        if not to_core:
            self._data = 0 if known is None else self._core.register(known)
        elif known is not None:
            self._core.set_register(known, self._data | (THUMB if known == XPSR else 0))

    def _halt(self, reason: int) -> None:
        if not self._halted:
            self._core.interrupt()
            self._stopped(reason)

    def _notice_breakpoint(self) -> None:
        if not self._halted and not self._locked_up and not self._core.running:
            self._stopped(BKPT)

    def _stopped(self, reason: int) -> None:
        self._halted, self._locked_up = True, False
        self._reasons |= reason
        for address in self._breakpoints:
            self._core.breakpoint(address, False)
        self._breakpoints = set()

    def _resume(self) -> None:
        pc = self._core.register(PC) & ~1
        self._halted = False
        # Blank flash is no program: a chip locks up there, but QEMU would end.
        self._locked_up = self._core.read(pc, 2) in _BLANK
        if self._locked_up:
            return
        self._breakpoints = set(self._loader_ends(pc))
        for address in self._breakpoints:
            self._core.breakpoint(address, True)
        self._core.resume()

    def _loader_ends(self, pc: int) -> Iterator[int]:
        """Where a flash loader in RAM hits a BKPT: with a debugger that halts the core, in QEMU it is a fault."""
        if not RAM <= pc < RAM + RAM_BYTES:
            return
        for begin, count in ((pc, _BKPT_REACH), (self._core.register(LR) & ~1, 2)):
            code = self._core.read(begin, min(count, max(0, RAM + RAM_BYTES - begin)))
            for offset in range(0, len(code or b""), 2):
                if code and code[offset + 1] == 0xBE:
                    yield begin + offset

    def _store(self, address: int, data: bytes) -> None:
        """Let the core itself store: what goes through the gdbstub passes by devices, and by the flash controller."""
        core = self._core
        before = {number: core.register(number) for number in (0, 1, PC, XPSR)}
        covered = core.read(_SCRATCH, 2)
        size = next(size for size in _STORES if address % size == 0 and len(data) % size == 0)
        core.write(_SCRATCH, _STORES[size].to_bytes(2, "little"))
        core.set_register(XPSR, THUMB)
        for offset in range(0, len(data), size):
            core.set_register(0, address + offset)
            core.set_register(1, int.from_bytes(data[offset : offset + size], "little"))
            core.set_register(PC, _SCRATCH)
            core.step()
        core.write(_SCRATCH, covered or b"")
        for number, value in before.items():
            core.set_register(number, value)

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Halt the core meanwhile, unnoticed: the gdbstub answers only then."""
        self._notice_breakpoint()
        runs = self._core.running
        self._core.interrupt()
        yield
        if runs:
            self._core.resume()
