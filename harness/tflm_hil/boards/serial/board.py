"""A real board behind a serial port, or behind a URL that leads to one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from tflm_hil.boards.board import Board
from tflm_hil.boards.board_file import NamedBoard
from tflm_hil.boards.counters import CycleCounter
from tflm_hil.boards.flashers.by_hand import FlashByHand
from tflm_hil.boards.flashers.methods import flasher
from tflm_hil.boards.flashers.tool import Place, ToolFlasher
from tflm_hil.boards.serial import port_name
from tflm_hil.boards.serial.holder import holders
from tflm_hil.boards.serial.named_reset import serial_reset
from tflm_hil.boards.serial.port import Port
from tflm_hil.boards.serial.port_lock import PortLock
from tflm_hil.boards.spec import RTT, UART, BoardSpec
from tflm_hil.device.connection import Connection
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError, LineError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid
from tflm_hil.targets import Target
from tflm_hil.targets.target import Uart

_DRAIN_S = 1.0
_QUIET_S = 0.001


def _link(port: str) -> str:
    return RTT if port_name.scheme(port) == port_name.RTT else UART


class SerialLine:
    """The line at `port`: Console and Lease. With a `lock`, one process at a time has it, from `open` to `release`.

    An open device file is locked by itself, so there the `lock` is only held while it is closed to be flashed. The line
    stays open between two boots: opening a port resets some boards, and takes a second over a network.
    """

    def __init__(self, port: Port, lock: PortLock | None = None) -> None:
        self.link = _link(port.address)
        self._port = port
        self._lock = lock
        self._connection: Connection | None = None

    @classmethod
    def at(cls, address: str, uart: Uart, name: str = "") -> Self:
        """Return the line at a port or URL, with a lock where the name says which port it is."""
        known = port_name.scheme(address) in port_name.NETWORK or port_name.device_file(address) is not None
        return cls(Port(address, uart, name), PortLock(address) if known else None)

    def open(self) -> Connection:
        """See Console."""
        if self._lock is not None:
            self._lock.acquire(shared=self._locks_itself)
        if self._connection is not None:
            try:
                self._drain(self._connection)
            except LineError:
                self.close()
        try:
            if self._connection is None:
                self._connection = self._port.open()
        finally:
            if self._locks_itself:
                self.release()
        return self._connection

    @contextmanager
    def claimed(self) -> Iterator[None]:
        """Keep other processes away from the board while its line may be closed.

        Its port need not be there: a boot loader has none. Raises HilError if another process has the board.
        """
        if self._lock is not None:
            self._lock.acquire()
        try:
            if self._connection is None and self._locks_itself:
                self._port.check_free()
            yield
        finally:
            if self._locks_itself:
                self.release()

    def close(self) -> None:
        """See Console."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def trouble(self) -> str:
        """See Lease. Nothing is known of a board but what it says, and who else may hear it."""
        file = port_name.device_file(self._port.address)
        others = [str(holder) for holder in holders(file)] if file else []
        return (
            f"{' and '.join(others)} has the port open as well, and takes bytes from it: close that" if others else ""
        )

    def release(self) -> None:
        """See Lease."""
        if self._lock is not None:
            self._lock.release()

    @property
    def _locks_itself(self) -> bool:
        return port_name.scheme(self._port.address) not in port_name.NETWORK

    @staticmethod
    def _drain(connection: Connection) -> None:
        deadline = Deadline(_DRAIN_S)
        while connection.read(_QUIET_S) and not deadline.expired:
            pass


class SerialBoard(Board):
    """The board at `port`, a `target`. `named` is what hil-boards.toml says of it.

    `tool` flashes it, and resets it if nothing on its line does. What the user's commands say goes to `run_dir`.
    """

    def __init__(
        self,
        port: str,
        target: Target,
        named: NamedBoard | None = None,
        tool: ToolFlasher | None = None,
        run_dir: Path = Path(),
    ) -> None:
        name = named.name if named else port
        self._line = line = SerialLine.at(port, named.line(target.uart) if named else target.uart, name)
        super().__init__(
            name,
            None,
            console=line,
            reset=serial_reset(name, named, tool, run_dir),
            flasher=tool or FlashByHand(name, target),
            counter=CycleCounter(target.core),
            lease=line,
        )

    def flash(self, image: FirmwareImage, say: Say = unsaid) -> str:
        """See Board. A board that another process uses is left alone."""
        with self._line.claimed():
            return super().flash(image, say)


class SerialKind:
    """Boards behind a port or a URL of pyserial; see BoardKind."""

    def check(self, spec: BoardSpec, targets: Sequence[Target]) -> None:
        """See BoardKind."""
        if spec.options:
            raise HilError(f"board {spec.text}: a port has no options")
        port_name.check(spec.address)
        if len(targets) != 1:
            raise HilError(f"{len(targets)} targets for {spec.text}, which is one chip; name one target")

    def links(self, spec: BoardSpec) -> Sequence[str]:
        """See BoardKind."""
        of_port = _link(spec.address)
        return (of_port, RTT) if spec.named and spec.named.table.rtt else (of_port,)

    def processes(self, _spec: BoardSpec) -> int:
        """See BoardKind."""
        return 1

    def open(self, spec: BoardSpec, targets: Sequence[Target], run_dir: Path, _say: Say) -> Board:
        """See BoardKind."""
        (target,) = targets
        # The port may have another name by now: firmware was built since it was found.
        port = spec.named.usb_port() if spec.named else None
        address = port.device if port else spec.address
        settings, origin = spec.named.flash(target) if spec.named else (target.flash, target.file)
        tool = flasher(settings, Place(spec.text, address, origin, run_dir)) if settings else None
        if spec.link == RTT and spec.named and spec.named.table.rtt:
            address = f"{port_name.RTT}://{spec.named.table.rtt}"
        return SerialBoard(address, target, spec.named, tool, run_dir)
