"""How images get onto real boards."""

from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.targets import FLASH, Target


class FlashByHand:
    """For a board that nothing here can flash; see Flasher. The error says how to do it by hand."""

    def __init__(self, name: str, target: Target) -> None:
        self._name = name
        self._address = f"0x{target.memory[FLASH].origin:08x}"

    def flash(self, image: FirmwareImage) -> None:
        """See Flasher."""
        raise HilError(
            f"{self._name}: flashing real boards is not supported yet:"
            f" write {image.bin} to {self._address} (e.g. `st-flash --reset write {image.bin} {self._address}`)"
            " and run again with --hil-flash=never"
        )
