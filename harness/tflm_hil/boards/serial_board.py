"""A real board behind a serial port, or behind a URL that leads to one."""

from tflm_hil.boards import port_name
from tflm_hil.boards.port import Port
from tflm_hil.boards.port_lock import PortLock
from tflm_hil.boards.reset import Resetter
from tflm_hil.boards.targets import Target
from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import Counter, DeviceInfo
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError, LineError
from tflm_hil.firmware.image import FirmwareImage

_DRAIN_S = 1.0
_QUIET_S = 0.001


class SerialBoard:
    """A board at `port`; see Board. One process at a time may use it, from the first `connect` to `close`.

    The port stays open in between: opening one resets some boards, and takes a second over a network.
    """

    emulator: str | None = None

    def __init__(self, port: str, target: Target) -> None:
        self.name = port
        self._target = target
        # A device file needs no lock beside the one that pyserial takes on the very device.
        self._lock = PortLock(port) if port_name.scheme(port) in port_name.NETWORK else None
        self._port = Port(port, target.baud)
        self._resetter = Resetter(port)
        self._connection: Connection | None = None

    def unit(self, info: DeviceInfo) -> str:
        """See Board. On hardware, every counter runs with the core."""
        return "" if info.counter == Counter.NONE else "cycles"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Board."""
        return ticks - info.overhead_ticks

    def flash(self, image: FirmwareImage) -> None:
        """See Board. Not there yet for real boards: the error says how to do it by hand."""
        address = f"0x{self._target.flash_address:08x}"
        raise HilError(
            f"{self.name}: flashing real boards is not supported yet:"
            f" write {image.bin} to {address} (e.g. `st-flash --reset write {image.bin} {address}`)"
            " and run again with --hil-flash=never"
        )

    def connect(self) -> Connection:
        """See Board. A board that nothing resets is left as it is."""
        try:
            if self._lock is not None:
                self._lock.acquire()
            connection = self._live()
            try:
                self._resetter.reset(connection)
            except LineError:  # The board has native USB, so it left with the reset, and boots when it is back.
                connection = self._reopen()
        except HilError:
            self.close()
            raise
        return connection

    def trouble(self) -> str:
        """See Board."""
        return ""

    def close(self) -> None:
        """See Board."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.release()

    def _live(self) -> Connection:
        """Return the open connection, with nothing left to read; another one where it broke since."""
        if self._connection is None:
            return self._reopen()
        deadline = Deadline(_DRAIN_S)
        try:
            while self._connection.read(_QUIET_S) and not deadline.expired:
                pass
        except LineError:
            return self._reopen()
        return self._connection

    def _reopen(self) -> Connection:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._connection = self._port.open()
        return self._connection
