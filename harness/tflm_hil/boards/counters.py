"""What ticks mean, on hardware and in emulation."""

from collections.abc import Callable, Mapping

from tflm_hil.device.device_info import Counter, DeviceInfo
from tflm_hil.errors import HilError


class CycleCounter:
    """Counts cycles: on hardware, every counter runs with the core. See Counter."""

    def unit(self, info: DeviceInfo) -> str:
        """See Counter."""
        return "" if info.counter == Counter.NONE else "cycles"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Counter."""
        return ticks - info.overhead_ticks


class InstructionCounter:
    """Counts the instructions of an emulator whose time passes with them. See Counter.

    `rates` returns the ticks of each counter while one instruction executes; counters that are missing stand still.
    `name` is that of the board, for messages.
    """

    def __init__(self, name: str, rates: Callable[[], Mapping[Counter, float]]) -> None:
        self._name = name
        self._rates = rates

    def unit(self, info: DeviceInfo) -> str:
        """See Counter. Raises HilError for a counter that stands still."""
        if info.counter == Counter.NONE:
            return ""
        if info.counter not in self._rates():
            raise HilError(f"{self._name}: the image counts with {info.counter.name}, which stands still there")
        return "instructions"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Counter.

        The counter is read as a whole number, so `ticks` is up to one off either way. If one instruction takes more
        than two ticks, that is less than half an instruction and rounding finds the exact count.
        """
        if info.counter == Counter.NONE:
            return 0
        rate = self._rates()[info.counter]
        return round(ticks / rate) - round(info.overhead_ticks / rate)
