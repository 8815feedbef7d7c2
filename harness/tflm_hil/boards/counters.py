"""What ticks mean, on hardware and in emulation."""

from collections.abc import Callable

from tflm_hil.device.device_info import Counter, DeviceInfo
from tflm_hil.errors import HilError
from tflm_hil.targets import Qemu


class CycleCounter:
    """Counts cycles: on hardware, every counter runs with the core. See Counter."""

    def unit(self, info: DeviceInfo) -> str:
        """See Counter."""
        return "" if info.counter == Counter.NONE else "cycles"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Counter."""
        return ticks - info.overhead_ticks


class InstructionCounter:
    """Counts the instructions of a QEMU that runs with -icount as `emulation` says. See Counter.

    `name` is that of the board, for messages.
    """

    def __init__(self, name: str, emulation: Callable[[], Qemu]) -> None:
        self._name = name
        self._emulation = emulation

    def unit(self, info: DeviceInfo) -> str:
        """See Counter. Raises HilError for a counter that stands still in QEMU."""
        if info.counter == Counter.NONE:
            return ""
        if info.counter == Counter.DWT:
            raise HilError(f"{self._name}: the image counts with {info.counter.name}, which stands still in QEMU")
        return "instructions"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Counter."""
        if info.counter == Counter.NONE:
            return 0
        instructions = self._emulation().instructions
        return instructions(ticks) - instructions(info.overhead_ticks)
