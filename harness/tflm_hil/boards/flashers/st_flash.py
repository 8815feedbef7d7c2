"""st-flash of the stlink tools: see github.com/stlink-org/stlink, and StFlashSettings."""

from __future__ import annotations

from tflm_hil.boards import probes
from tflm_hil.boards.flashers.image_files import write_bin
from tflm_hil.boards.flashers.tool import Call, Complaint, Place, executable
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets.flash import StFlashSettings


class StFlash:
    """See Method."""

    tool = "st-flash"
    complaints = (
        Complaint(
            r"Couldn't find any ST-Link|Failed to open USB device",
            "found no ST-LINK: connect it, and close other programs that use it (see `hil doctor`)",
        ),
        Complaint(r"write protected|read protect", "the chip is locked: unlock it (e.g. with STM32CubeProgrammer)"),
        Complaint(
            r"unknown chip id! 0x0\b|Could not find chip id|Failed to enter SWD mode|Failed to connect to target"
            r"|unknown chip id! 0\b",
            "reaches the ST-LINK, but not the chip: is the board powered, and wired to it?",
        ),
        Complaint(r"unknown chip id", "does not know this chip: use another method"),
    )

    def __init__(self, settings: StFlashSettings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self.timeout_s = settings.timeout_s

    def write(self, image: FirmwareImage) -> Call:
        """See Method."""
        program = self._program()
        content, address = write_bin(image, self._place.run_dir)
        return Call([*program, "--reset", *self._serial(), "write", str(content), f"0x{address:08x}"])

    def reset(self) -> Call:
        """See Method."""
        return Call([*self._program(), *self._serial(), "reset"])

    def _program(self) -> list[str]:
        return [executable(self._place, ["st-flash"], "apt-get install stlink-tools")]

    def _serial(self) -> list[str]:
        serial = probes.choose(self._settings.probe, [probes.ST_LINK], self._place.board, self._place.usb_serial)
        return ["--serial", serial] if serial else []
