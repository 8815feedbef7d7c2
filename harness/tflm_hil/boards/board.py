"""What the harness needs of a board, whatever it is."""

from typing import Protocol

from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.firmware.image import FirmwareImage


class Board(Protocol):
    """A place where an image runs. Use: `flash`, then `connect` for each session, `close` at the end."""

    name: str
    """What the user calls it: `emulated` or its port."""

    emulator: str | None
    """Emulator and version, e.g. `qemu 7.2.22`; None on hardware."""

    def unit(self, info: DeviceInfo) -> str:
        """Return what `counts` counts: `instructions` or `cycles`; "" of a device that counts nothing."""

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """Return a measurement in `unit`: the device's ticks converted, less what an empty measurement shows."""

    def flash(self, image: FirmwareImage) -> None:
        """Put `image` on the board; nothing happens where it is there already. Raises HilError with the remedy."""

    def connect(self) -> Connection:
        """Reset the board and open its serial line in time to see it boot.

        The connection stays the board's to close; one that an earlier call returned is dead from then on. Raises
        HilError with the remedy.
        """

    def trouble(self) -> str:
        """Return what is wrong with the board itself, which `connect` mends, e.g. an emulator that died; "" if nothing.

        It may take some seconds: ask only if the device does not do what it should.
        """

    def close(self) -> None:
        """Release the board and whatever process emulates it; closing twice is harmless."""
