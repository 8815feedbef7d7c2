"""Explain the registers of a fault handler in one sentence.

The bits of CFSR and HFSR: ARMv7-M Architecture Reference Manual (ARM DDI 0403E), B3.2.15 and B3.2.16.
"""

import dataclasses

_KINDS = {0: "hard fault", 1: "memory management fault", 2: "bus fault", 3: "usage fault", 4: "fault"}

_MMARVALID = 1 << 7
_BFARVALID = 1 << 15

_CFSR = {
    0: ("IACCVIOL", "fetched an instruction from memory that is not executable"),
    1: ("DACCVIOL", "accessed protected data"),
    3: ("MUNSTKERR", "memory management fault on return from an exception"),
    4: ("MSTKERR", "memory management fault on entry to an exception: stack overflow?"),
    5: ("MLSPERR", "memory management fault while saving the floating-point registers"),
    8: ("IBUSERR", "fetched an instruction from an unmapped address"),
    9: ("PRECISERR", "read or wrote an unmapped address"),
    10: ("IMPRECISERR", "wrote to an unmapped address some instructions earlier"),
    11: ("UNSTKERR", "bus fault on return from an exception"),
    12: ("STKERR", "bus fault on entry to an exception: stack overflow?"),
    13: ("LSPERR", "bus fault while saving the floating-point registers"),
    16: ("UNDEFINSTR", "executed an undefined instruction"),
    17: ("INVSTATE", "jumped to an address without the Thumb bit"),
    18: ("INVPC", "returned from an exception with a damaged EXC_RETURN"),
    19: ("NOCP", "used the floating-point unit while it is off"),
    24: ("UNALIGNED", "made an unaligned access"),
    25: ("DIVBYZERO", "divided by zero"),
}

_HFSR = {
    1: ("VECTTBL", "could not read the vector table"),
    31: ("DEBUGEVT", "executed a breakpoint without a debugger"),
}


@dataclasses.dataclass(frozen=True)
class Crash:
    """The content of a CRASH message; registers are 32-bit values at the moment of the fault."""

    kind: int
    pc: int
    lr: int
    psr: int
    cfsr: int
    hfsr: int
    mmfar: int
    bfar: int
    sp: int
    r4_to_r11: tuple[int, ...] = (0,) * 8

    def describe(self, where: str = "") -> str:
        """Return one line: the kind of fault, `where` it happened, causes with the names of the manual, registers."""
        causes = [(name, what) for bit, (name, what) in _CFSR.items() if self.cfsr >> bit & 1]
        causes += [(name, what) for bit, (name, what) in _HFSR.items() if self.hfsr >> bit & 1]
        text = _KINDS.get(self.kind, f"fault of kind {self.kind}") + (f" {where}" if where else "")
        if causes:
            text += ": " + ", ".join(f"{what} ({name})" for name, what in causes)
        if self.cfsr & _MMARVALID:
            text += f" at address 0x{self.mmfar:08x}"
        elif self.cfsr & _BFARVALID:
            text += f" at address 0x{self.bfar:08x}"
        return text + (
            f"; PC 0x{self.pc:08x}, LR 0x{self.lr:08x}, SP 0x{self.sp:08x},"
            f" CFSR 0x{self.cfsr:08x}, HFSR 0x{self.hfsr:08x}"
        )
