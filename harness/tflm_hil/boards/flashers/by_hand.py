"""Boards that nothing is known to flash."""

from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.targets import Target


class FlashByHand:
    """For a board whose target has no [flash]; see Flasher. The error says what to do."""

    persistent = True

    def __init__(self, name: str, target: Target) -> None:
        self._name = name
        self._target = target

    def flash(self, image: FirmwareImage, _say: Say) -> str:
        """See Flasher."""
        raise HilError(
            f"{self._name}: nothing says how to flash it: add [flash] to {self._target.file}, or flash {image.elf} with"
            " your own tool and run again"
        )
