"""The upload of a PlatformIO environment; see PlatformIoSettings."""

from __future__ import annotations

from tflm_hil.boards.flashers.tool import Call, Complaint, Place
from tflm_hil.boards.serial import port_name
from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets.flash import PlatformIoSettings


class PlatformIo:
    """See Method."""

    tool = "platformio"
    complaints = (
        Complaint(r"Nothing to build|Do not know how to make File target `upload'", "its platform has no upload"),
        Complaint(r"specify `upload_port`", "found no port to upload to: set upload_port in platformio.ini"),
    )

    def __init__(self, settings: PlatformIoSettings, place: Place) -> None:
        self._place = place
        self.timeout_s = settings.timeout_s

    def write(self, image: FirmwareImage) -> Call:
        """See Method. A board that is there as a device file is uploaded to through that one."""
        if image.application is None:
            raise HilError(
                f"{self._place.board}: method platformio uploads only what an environment of your own platformio.ini"
                f" has built, and {image.elf} is none; choose another method in [flash] of {self._place.origin}"
            )
        local = port_name.device_file(self._place.port) is not None
        return Call(*platformio.upload(image.application, self._place.port if local else None))

    def reset(self) -> None:
        """See Method."""
