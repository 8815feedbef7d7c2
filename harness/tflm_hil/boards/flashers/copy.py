"""A copy to the drive that a board shows, as DAPLink and ST-LINK do; see CopySettings, and drive.py, which does it."""

from __future__ import annotations

import sys

from tflm_hil.boards.flashers import drive
from tflm_hil.boards.flashers.image_files import write_bin, write_hex
from tflm_hil.boards.flashers.tool import Call, Complaint, Place
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets.flash import CopySettings


class Copy:
    """See Method."""

    tool = "copy"
    complaints = (
        Complaint(r"is not mounted", "its drive is not mounted: mount it, or say where it is with path in [flash]"),
        Complaint(r"several drives", "several drives have this label: say which with path in [flash]"),
        Complaint(r"No space left", "its drive is full, or the image too large for the chip"),
        Complaint(r"Read-only file system|Permission denied", "its drive cannot be written: mount it writable"),
    )

    def __init__(self, settings: CopySettings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self.timeout_s = settings.timeout_s

    def write(self, image: FirmwareImage) -> Call:
        """See Method. It is a process of its own, because only a signal ends a write to a drive that hangs."""
        folder = self._place.run_dir
        file = write_hex(image, folder) if self._settings.format == "hex" else write_bin(image, folder)[0]
        where = ["--path", self._settings.path] if self._settings.path else ["--label", str(self._settings.label)]
        serial = ["--serial", self._place.usb_serial] if self._place.usb_serial else []
        return Call([sys.executable, "-P", "-m", drive.__name__, str(file), *where, *serial])

    def reset(self) -> None:
        """See Method."""
