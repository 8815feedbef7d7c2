"""A JTAG debug port, and OpenOCD's `remote_bitbang` in front of it: a character for each edge on the wires.

The states are those of IEEE 1149.1, the instructions those of ADI v5; the characters stand in OpenOCD's
doc/manual/jtag/drivers/remote_bitbang.txt.
"""

from __future__ import annotations

import socket

from support.simulated_probe.debug_port import CTRL_STAT, RDBUFF, DebugPort

IDCODE = 0x0BA00477

_ABORT, _DPACC, _APACC, _IDCODE = 0x8, 0xA, 0xB, 0xE
_IR_BITS = 4
_OK = 2

# The next state with TMS low, and with TMS high. DR and IR have the same states.
_NEXT = {
    "reset": ("idle", "reset"),
    "idle": ("idle", "select dr"),
    "select dr": ("capture dr", "select ir"),
    "select ir": ("capture ir", "reset"),
}
for _register in ("dr", "ir"):
    _NEXT |= {
        f"capture {_register}": (f"shift {_register}", f"exit1 {_register}"),
        f"shift {_register}": (f"shift {_register}", f"exit1 {_register}"),
        f"exit1 {_register}": (f"pause {_register}", f"update {_register}"),
        f"pause {_register}": (f"pause {_register}", f"exit2 {_register}"),
        f"exit2 {_register}": (f"shift {_register}", f"update {_register}"),
        f"update {_register}": ("idle", "select dr"),
    }


class Tap:
    """The test access port of a debug port."""

    def __init__(self, port: DebugPort) -> None:
        self._port = port
        self._state = "reset"
        self._instruction = _IDCODE
        self._shifted = 0
        self._bits = 1
        self._result = 0

    @property
    def tdo(self) -> int:
        """The level of TDO."""
        return self._shifted & 1

    def clock(self, tms: int, tdi: int) -> None:
        """A rising edge of TCK."""
        if self._state in ("shift dr", "shift ir"):
            self._shifted = self._shifted >> 1 | tdi << (self._bits - 1)
        elif self._state == "capture ir":
            self._shifted, self._bits = 1, _IR_BITS
        elif self._state == "capture dr":
            self._shifted, self._bits = self._captured()
        self._state = _NEXT[self._state][tms]
        if self._state == "reset":
            self._instruction = _IDCODE
        elif self._state == "update ir":
            self._instruction = self._shifted
        elif self._state == "update dr":
            self._updated()

    def _captured(self) -> tuple[int, int]:
        if self._instruction == _IDCODE:
            return IDCODE, 32
        if self._instruction in (_ABORT, _DPACC, _APACC):
            return self._result << 3 | _OK, 35
        return 0, 1

    def _updated(self) -> None:
        """Carry out an access; the next one fetches what was read."""
        reads, register, value = self._shifted & 1, (self._shifted & 6) << 1, self._shifted >> 3
        if self._instruction == _APACC:
            if reads:
                self._result = self._port.read_ap(register)
            else:
                self._port.write_ap(register, value)
        elif self._instruction == _DPACC and register != RDBUFF:
            if reads:
                self._result = self._port.read(register)
            else:
                self._port.fault &= not (register == CTRL_STAT and value & 1 << 5)  # cleared by writing 1
                self._port.write(register, value)


def serve(line: socket.socket, port: DebugPort) -> None:
    """Serve one OpenOCD until it leaves."""
    tap, clock = Tap(port), 0
    while received := line.recv(65536):
        answer = bytearray()
        with port.chip.lock:
            for character in received:
                if ord("0") <= character <= ord("7"):
                    levels = character - ord("0")
                    if levels & 4 and not clock:
                        tap.clock(levels >> 1 & 1, levels & 1)
                    clock = levels & 4
                elif character == ord("R"):
                    answer.append(ord("0") + tap.tdo)
                elif character == ord("Q"):
                    return
        line.sendall(answer)
