"""The memory of an emulated machine through its emulator's GDB server, which every emulator has.

The protocol is GDB's Remote Serial Protocol (GDB manual, appendix E). The server answers only while the machine stands.
"""

import errno
import os
import re
import socket

_ANSWER_S = 3.0
_CHUNK = 1024
"""Bytes of memory in a packet, which holds twice as many characters. QEMU takes 4096 characters."""

_INTERRUPT = b"\x03"
_PACKET = re.compile(rb"\$([^#]*)#([0-9a-f]{2})", re.DOTALL | re.IGNORECASE)


class GdbMemory:
    """The memory of a machine that is halted, through a connected GDB server, which it takes over; see Memory.

    Raises OSError where the server does not speak.
    """

    shortest_pause_s = 0.002

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._server.settimeout(_ANSWER_S)
        self._received = b""
        self._runs = False
        if not (said := self._ask(b"?")).startswith((b"S", b"T")):
            raise OSError(errno.EPROTO, f"it is no GDB server: {said[:20]!r}")

    def started(self) -> None:
        """Take note that the machine was set running."""
        self._runs = True

    def read(self, address: int, size: int) -> bytes:
        """See Memory."""
        self._stop()
        data = bytearray()
        while len(data) < size:
            count = min(_CHUNK, size - len(data))
            answer = self._ask(b"m%x,%x" % (address + len(data), count))
            try:
                part = bytes.fromhex(answer.decode("ascii"))
            except ValueError:  # E and a number
                raise OSError(errno.EFAULT, f"0x{address:08x} cannot be read") from None
            if len(part) != count:
                raise OSError(errno.EFAULT, f"0x{address:08x} cannot be read")
            data += part
        return bytes(data)

    def write(self, address: int, data: bytes) -> None:
        """See Memory."""
        self._stop()
        for at in range(0, len(data), _CHUNK):
            part = data[at : at + _CHUNK]
            if self._ask(b"M%x,%x:%s" % (address + at, len(part), part.hex().encode())) != b"OK":
                raise OSError(errno.EFAULT, f"0x{address:08x} cannot be written")

    def resume(self) -> None:
        """See Memory."""
        if not self._runs:
            self._send(b"c")
            self._runs = True

    def close(self) -> None:
        """See Memory."""
        self._server.close()

    def _stop(self) -> None:
        if self._runs:
            self._server.sendall(_INTERRUPT)
            self._receive()  # why it stands
            self._runs = False

    def _ask(self, command: bytes) -> bytes:
        self._send(command)
        return self._receive()

    def _send(self, command: bytes) -> None:
        self._server.sendall(b"$%s#%02x" % (command, sum(command) & 0xFF))

    def _receive(self) -> bytes:
        while (packet := _PACKET.search(self._received)) is None:
            if not (more := self._server.recv(1 << 16)):
                raise OSError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
            self._received += more
        self._received = self._received[packet.end() :]
        if sum(packet[1]) & 0xFF != int(packet[2], 16):
            raise OSError(errno.EPROTO, "an answer of the GDB server is damaged")
        self._server.sendall(b"+")
        return packet[1]
