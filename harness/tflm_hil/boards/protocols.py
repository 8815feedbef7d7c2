"""The parts that a board is made of."""

from pathlib import Path
from typing import Protocol

from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.stream import Samples
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say


class Console(Protocol):
    """The line on which the firmware speaks the protocol."""

    @property
    def link(self) -> str:
        """What it is, for reports: `uart` or `rtt`. It may depend on the image."""

    def open(self) -> Connection:
        """Return the line, with nothing left to read. The one that an earlier call returned may be dead from then on.

        Raises HilError with the remedy.
        """

    def close(self) -> None:
        """Close the line; closing twice is harmless."""


class Reset(Protocol):
    """How the board is made to boot."""

    def boot(self, console: Console) -> Connection:
        """Reset the board and return its line, opened in time to see it boot. Raises HilError with the remedy."""


class Flasher(Protocol):
    """How an image gets onto the board."""

    persistent: bool
    """Whether the board keeps its image from run to run. It is asked what it runs then, and flashed only if needed."""

    def flash(self, image: FirmwareImage, say: Say) -> str:
        """Put `image` on the board and return how that went, for the message if the board runs another one afterwards.

        `say` is told what is being done. A board that is not persistent may have the image already, from the session
        before. Raises HilError with the remedy.
        """


class Counter(Protocol):
    """What the ticks of the device's counter mean on this board."""

    def check(self, info: DeviceInfo) -> None:
        """Refuse a counter that counts something else: DeviceError, from the ticks of the device's calibration."""

    def unit(self, info: DeviceInfo) -> str:
        """Return what `counts` counts: `instructions` or `cycles`; "" of a device that counts nothing."""

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """Return a measurement in `unit`: the device's ticks converted, less what an empty measurement shows."""


class Lease(Protocol):
    """What a run holds as long as it uses the board: an emulator, the lock of a port, a place in a lab."""

    def trouble(self) -> str:
        """Return what is wrong with the board itself and is mended by the next boot, e.g. a dead emulator; or "".

        It may take some seconds: ask only if the device does not do what it should.
        """

    def release(self) -> None:
        """Give it back; releasing twice is harmless."""


class Sensor(Protocol):
    """What the sensor senses that the firmware reads."""

    def feed(self, samples: Samples) -> None:
        """Let it sense `samples` from now on, at its own rate: int16[rows, channels], in its counts.

        Before and afterwards it senses nothing, which is rows of zeros. The firmware must have started it. Raises
        HilError.
        """


class ExecutionRecord(Protocol):
    """What an emulator has seen the program execute."""

    def record(self, folder: Path) -> None:
        """Keep that from the next start on, in files of `folder`."""

    def executed(self) -> dict[Path, set[int]]:
        """Return the addresses of all instructions that were executed, for each ELF file. Ask when the board is closed.

        An instruction that an exception kept from being executed may be among them.
        """
