"""Ways to reset the board behind a serial line, tried until one is seen to work."""

import time
from collections.abc import Callable

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


METHODS: tuple[Method, ...] = (by_protocol, by_break, by_dtr)


class SerialReset:
    """Resets the board `name` over its line, or else in `another` way; see Reset.

    The method that worked last comes first. `another` returns False where it cannot.
    """

    def __init__(self, name: str, another: Callable[[], bool] | None = None) -> None:
        self._name = name
        self._methods = list(METHODS)
        if another is not None:
            self._methods.append(lambda _connection: another())

    def boot(self, console: Console) -> Connection:
        """See Reset. A board that nothing resets is left as it is."""
        connection = console.open()
        try:
            self.reset(connection)
        except LineError:  # The board has native USB, so it left with the reset, and boots when it is back.
            console.close()
            return console.open()
        return connection

    def reset(self, connection: Connection) -> bool:
        """Reset the board and return whether it said that it boots.

        Raises LineError where the line breaks, which on native USB is what a reset does, and HilError where a Telnet
        server answers.
        """
        for method in self._methods:
            if method(connection) and self._boots(connection):
                self._methods.sort(key=lambda other: other is not method)
                return True
        return False

    def _boots(self, connection: Connection) -> bool:
        decoder, deadline, first = Decoder(), Deadline(BOOT_S), b""
        while not deadline.expired:
            received = connection.read(deadline.left)
            if len(first) < GREETING_BYTES and speaks_telnet(first := first + received):
                raise HilError(f"{self._name}: the server speaks Telnet: use rfc2217://, or let it serve raw bytes")
            for item in decoder.feed(received):
                if isinstance(item, Frame) and item.type == Message.BOOT:
                    return True
        return False
