"""A command line of the user's own; see CustomSettings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping

from tflm_hil.boards.flashers.image_files import loaded, write_bin, write_hex
from tflm_hil.boards.flashers.tool import Call, Complaint, Place, executable
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets.flash import CustomSettings


class Custom:
    """See Method."""

    complaints: tuple[Complaint, ...] = ()

    def __init__(self, settings: CustomSettings, place: Place) -> None:
        self._settings = settings
        self._place = place
        self.timeout_s = settings.timeout_s
        self.tool = shlex.split(settings.command)[0]

    def write(self, image: FirmwareImage) -> Call:
        """See Method. Files are made where the command asks for them."""
        folder = self._place.run_dir
        return self._call(
            self._settings.command,
            {
                "elf": lambda: str(image.elf),
                "bin": lambda: str(write_bin(image, folder)[0]),
                "hex": lambda: str(write_hex(image, folder)),
                "address": lambda: f"0x{loaded(image)[0][0]:08x}",
            },
        )

    def reset(self) -> Call | None:
        """See Method."""
        return self._call(self._settings.reset, {}) if self._settings.reset else None

    def _call(self, command: str, of_image: Mapping[str, Callable[[], str]]) -> Call:
        values = {"port": lambda: self._place.port, "serial": self._serial, **of_image}
        words = [re.sub(r"\{(\w+)\}", lambda name: values[name[1]](), word) for word in shlex.split(command)]
        remedy = f"install it, or correct [flash] of {self._place.origin}"
        return Call([executable(self._place, [words[0]], remedy), *words[1:]])

    def _serial(self) -> str:
        if serial := self._settings.probe or self._place.usb_serial:
            return serial
        raise HilError(
            f"{self._place.board}: [flash] of {self._place.origin} asks for {{serial}}, and the port has none;"
            ' set probe = "SERIAL NUMBER" there'
        )
