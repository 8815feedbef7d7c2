"""The GDB remote protocol to QEMU's gdbstub, as far as a debug probe needs it (GDB's manual, appendix E)."""

from __future__ import annotations

import select
import socket
from pathlib import Path

_ANSWER_S = 10.0
_CHUNK = 1024
_STOPS = (b"T", b"S")

SP, LR, PC, XPSR = 13, 14, 15, 25
"""Numbers of registers; those below are the core's own."""


class GdbStub:
    """One core, halted at first."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._received = b""
        self._running = False
        self._ask(b"?")
        self._ask(b"qXfer:features:read:target.xml:0,ffb")  # QEMU numbers registers as there only if it is asked

    @property
    def running(self) -> bool:
        """Whether the core runs; it may stop by itself at a breakpoint."""
        if self._running and self._packet(0.0)[:1] in _STOPS:
            self._running = False
        return self._running

    def read(self, address: int, count: int) -> bytes | None:
        """Return memory; None where there is none."""
        found = b""
        while len(found) < count:
            part = min(_CHUNK, count - len(found))
            answer = self._ask(b"m%x,%x" % (address + len(found), part))
            if answer[:1] == b"E":
                return None
            found += bytes.fromhex(answer.decode())
        return found

    def write(self, address: int, data: bytes) -> None:
        """Change memory, ROM included; registers of devices stay as they are."""
        for offset in range(0, len(data), _CHUNK):
            part = data[offset : offset + _CHUNK]
            self._ask(b"M%x,%x:%s" % (address + offset, len(part), part.hex().encode()))

    def register(self, number: int) -> int:
        """Return a register of the core."""
        return int.from_bytes(bytes.fromhex(self._ask(b"p%x" % number).decode()), "little")

    def set_register(self, number: int, value: int) -> None:
        """Change a register of the core."""
        self._ask(b"P%x=%s" % (number, value.to_bytes(4, "little").hex().encode()))

    def breakpoint(self, address: int, on: bool) -> None:
        """Set or remove a breakpoint."""
        self._ask(b"%s1,%x,2" % (b"Z" if on else b"z", address))

    def step(self) -> None:
        """Execute one instruction."""
        self._ask(b"s")

    def resume(self) -> None:
        """Let the core run."""
        self._send(b"c")
        self._running = True

    def interrupt(self) -> None:
        """Halt the core."""
        if self._running:
            self._socket.sendall(b"\x03")
            while self._packet(_ANSWER_S)[:1] not in _STOPS:
                pass
            self._running = False

    def _ask(self, request: bytes) -> bytes:
        assert not self._running, request
        self._send(request)
        answer = self._packet(_ANSWER_S)
        if not answer and request[:1] != b"q":
            raise ConnectionError(f"QEMU does not answer {request!r}")
        return answer

    def _send(self, request: bytes) -> None:
        self._socket.sendall(b"$%s#%02x" % (request, sum(request) & 0xFF))

    def _packet(self, timeout: float) -> bytes:
        """The next packet; b"" where none comes."""
        while True:
            begin = self._received.find(b"$")
            end = self._received.find(b"#", begin)
            if 0 <= begin < end and len(self._received) >= end + 3:
                packet = self._received[begin + 1 : end]
                self._received = self._received[end + 3 :]
                self._socket.sendall(b"+")
                return packet
            if not select.select([self._socket], [], [], timeout)[0]:
                return b""
            received = self._socket.recv(65536)
            if not received:
                raise ConnectionError("QEMU has ended")
            self._received += received
