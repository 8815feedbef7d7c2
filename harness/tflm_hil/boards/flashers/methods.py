"""All methods, by the settings that name them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tflm_hil.boards.flashers.copy import Copy
from tflm_hil.boards.flashers.custom import Custom
from tflm_hil.boards.flashers.gdb import Gdb
from tflm_hil.boards.flashers.openocd import OpenOcd
from tflm_hil.boards.flashers.platformio import PlatformIo
from tflm_hil.boards.flashers.pyocd import PyOcd
from tflm_hil.boards.flashers.st_flash import StFlash
from tflm_hil.boards.flashers.tool import Method, Place, ToolFlasher
from tflm_hil.targets import flash

METHODS: dict[type, Callable[[Any, Place], Method]] = {
    flash.CopySettings: Copy,
    flash.CustomSettings: Custom,
    flash.GdbSettings: Gdb,
    flash.OpenOcdSettings: OpenOcd,
    flash.PlatformIoSettings: PlatformIo,
    flash.PyOcdSettings: PyOcd,
    flash.StFlashSettings: StFlash,
}


def flasher(settings: flash.FlashSettings, place: Place) -> ToolFlasher:
    """Return what flashes and resets the board at `place`."""
    return ToolFlasher(METHODS[type(settings)](settings, place), place)
