"""What ticks mean, on hardware and in emulation."""

from collections.abc import Callable, Mapping

from tflm_hil.device.device_info import Counter, DeviceInfo
from tflm_hil.errors import DeviceError

_TURN_INSTRUCTIONS = 16

_LEAST_TURN_CYCLES = {"Cortex-M0": 18, "Cortex-M0+": 17, "Cortex-M3": 17, "Cortex-M4": 17}
"""The fewest cycles of a turn of the calibration loop: 14 additions and a subtraction of one cycle each, and a branch.

A branch that is taken needs 3 cycles on a Cortex-M0 (Technical Reference Manual, DDI 0432C, table 3-1), 2 on a
Cortex-M0+ (DDI 0484C, table 3-1), and 1 + P, where P is at least 1, on a Cortex-M3 (DDI 0337H, table 3-1) and a
Cortex-M4 (DDI 0439B, table 3-1).
"""

_LEAST_TURN_CYCLES_ELSEWHERE = 14
"""On cores that may execute two instructions at once, such as the Cortex-M7 and M33: the chain of additions remains."""

_MOST_CYCLES = 2
"""An instruction of the loop takes fewer, unless flash is slower than the core and has no cache or prefetch buffer.

Without wait states a turn takes the cores above at most 19 cycles (P is at most 3). So on these, a counter at half or
twice the rate of the core is always refused.
"""

_READINGS_TICKS = 2
"""The calibration is a difference of two measurements, and each of them is less than one tick off."""


class CycleCounter:
    """Counts cycles of a `core`: on hardware, every counter runs with the core. See Counter."""

    def __init__(self, core: str) -> None:
        self._core = core

    def check(self, info: DeviceInfo) -> None:
        """See Counter."""
        if info.counter == Counter.NONE or not info.calibration_instructions:
            return
        instructions, ticks = info.calibration_instructions, info.calibration_ticks
        turn = _LEAST_TURN_CYCLES.get(self._core, _LEAST_TURN_CYCLES_ELSEWHERE)
        least, end = instructions * turn // _TURN_INSTRUCTIONS, _MOST_CYCLES * instructions
        if not least <= ticks < end:
            raise DeviceError(
                f"the device's counter ({info.counter.name}) shows {ticks:,} ticks for a loop of {instructions:,} "
                f"instructions, which takes a {self._core} {least:,} to {end - 1:,} cycles: it does not count the "
                "cycles of the core; mend it, or have the firmware report no counter"
            )

    def unit(self, info: DeviceInfo) -> str:
        """See Counter."""
        return "" if info.counter == Counter.NONE else "cycles"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Counter."""
        return ticks - info.overhead_ticks


class InstructionCounter:
    """Counts the instructions of an emulator whose time passes with them. See Counter.

    `rates` returns the ticks of each counter while one instruction executes; counters that are missing stand still.
    The emulator's own count may be wrong by the fraction `inaccuracy`. `name` is that of the board, for messages.
    """

    def __init__(self, name: str, rates: Callable[[], Mapping[Counter, float]], inaccuracy: float = 0.0) -> None:
        self._name = name
        self._rates = rates
        self._inaccuracy = inaccuracy

    def check(self, info: DeviceInfo) -> None:
        """See Counter."""
        if info.counter == Counter.NONE:
            return
        rate = self._rates().get(info.counter)
        if rate is None:
            raise DeviceError(
                f"{self._name}: the image counts with {info.counter.name}, which does not count instructions there; "
                "count with another counter, or report none"
            )
        instructions, ticks = info.calibration_instructions, info.calibration_ticks
        expected = instructions * rate
        if instructions and abs(ticks - expected) >= _READINGS_TICKS + self._inaccuracy * expected:
            raise DeviceError(
                f"{self._name}: the device's counter ({info.counter.name}) shows {ticks / rate:,.0f} instructions for "
                f"a loop of {instructions:,}: the emulator lets {ticks / instructions:.3g} ticks pass in one, but the "
                f"target's file says {rate:.3g}; correct the file"
            )

    def unit(self, info: DeviceInfo) -> str:
        """See Counter."""
        return "" if info.counter == Counter.NONE else "instructions"

    def counts(self, info: DeviceInfo, ticks: int) -> int:
        """See Counter.

        The counter is read as a whole number, so `ticks` is up to one off either way. If one instruction takes more
        than two ticks, that is less than half an instruction and rounding finds the exact count.
        """
        if info.counter == Counter.NONE:
            return 0
        rate = self._rates()[info.counter]
        return round(ticks / rate) - round(info.overhead_ticks / rate)
