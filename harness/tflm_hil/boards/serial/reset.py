"""Ways to reset the board behind a serial line, tried until one is seen to work."""

import time
from collections.abc import Callable, Iterable

from tflm_hil.boards.own_command import Power
from tflm_hil.boards.protocols import Console
from tflm_hil.boards.serial.telnet import GREETING_BYTES, speaks_telnet
from tflm_hil.device.connection import Connection, SerialConnection
from tflm_hil.device.framing import Decoder, Frame, encode
from tflm_hil.device.messages import Message, pack_hello
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError, LineError

BOOT_S = 1.0
"""A board that was reset has said so within this time."""

PULSE_S = 0.25


Method = Callable[[Connection], bool]
"""It returns False where the connection has no means for it."""


def by_protocol(connection: Connection) -> bool:
    """Ask the firmware. No answer is needed: HELLO makes it expect request 1."""
    connection.write(b"\0" + encode(Message.HELLO, 0, pack_hello(0)) + encode(Message.RESET, 1))
    return True


def by_break(connection: Connection) -> bool:
    """Hold the line low: a debug probe with DAPLink takes that as a request to reset its target."""
    return _pulse(connection, "break_condition")


def by_dtr(connection: Connection) -> bool:
    """Turn DTR and RTS over and back: USB bridges of many boards lead them to the reset pin."""
    return _pulse(connection, "dtr", "rts")


def _pulse(connection: Connection, *lines: str) -> bool:
    if not isinstance(connection, SerialConnection):
        return False
    resting = {line: connection.line(line) for line in lines}
    for over in (True, False):
        if not all(connection.set_line(line, level ^ over) for line, level in resting.items()):
            return False
        time.sleep(PULSE_S)
    return True


METHODS: dict[str, Method] = {"protocol": by_protocol, "break": by_break, "dtr": by_dtr}
"""What works over any line, by the names that hil-boards.toml has for them. The gentlest comes first."""


class SerialReset:
    """Resets the board `name` by one of `methods`, or else by its `power`; see Reset.

    The method that worked last comes first.
    """

    def __init__(self, name: str, methods: Iterable[Method], power: Power | None = None) -> None:
        self._name = name
        self._methods = list(methods)
        self._power = power

    def boot(self, console: Console) -> Connection:
        """See Reset. A board that nothing resets is left as it is."""
        connection = console.open()
        try:
            heard = self.reset(connection)
        except LineError:  # The board has native USB, so it left with the reset, and boots when it is back.
            console.close()
            return console.open()
        if heard is None and self._power is not None:
            connection, heard = self._switch(console, self._power)
        return Resumed(connection, heard) if heard else connection

    def reset(self, connection: Connection) -> bytes | None:
        """Reset the board and return what it said when it booted; None if it did not.

        That is BOOT, and any text of a boot loader before it. Raises LineError where the line breaks, which on native
        USB is what a reset does, and HilError where a Telnet server answers.
        """
        for method in self._methods:
            if method(connection) and (heard := self._boot(connection)) is not None:
                self._methods.sort(key=lambda other: other is not method)
                return heard
        return None

    def _switch(self, console: Console, power: Power) -> tuple[Connection, bytes | None]:
        """Switch the board off and on; its port may leave meanwhile."""
        console.close()
        power.cycle()
        connection = console.open()
        try:
            return connection, self._boot(connection)
        except LineError:
            console.close()
            return console.open(), None

    def _boot(self, connection: Connection) -> bytes | None:
        """Return BOOT and what came before it, except for frames: those are of the session that the reset has ended."""
        decoder, deadline, first, heard = Decoder(), Deadline(BOOT_S), b"", b""
        while not deadline.expired:
            received = connection.read(deadline.left)
            if len(first) < GREETING_BYTES and speaks_telnet(first := first + received):
                raise HilError(f"{self._name}: the server speaks Telnet: use rfc2217://, or let it serve raw bytes")
            while received:
                end = received.find(0) + 1 or len(received)
                piece, received = received[:end], received[end:]
                heard += piece
                for item in decoder.feed(piece):
                    if isinstance(item, Frame) and item.type == Message.BOOT:
                        return heard + received
                    heard = b"" if isinstance(item, Frame) else heard
        return None


class Resumed:
    """A connection on which some bytes were read already. Here they are read once more: a log should have them."""

    def __init__(self, connection: Connection, heard: bytes) -> None:
        self._connection = connection
        self._heard = heard

    def read(self, timeout: float) -> bytes:
        """See Connection."""
        heard, self._heard = self._heard, b""
        return heard or self._connection.read(timeout)

    def write(self, data: bytes) -> None:
        """See Connection."""
        self._connection.write(data)

    def close(self) -> None:
        """See Connection."""
        self._connection.close()
