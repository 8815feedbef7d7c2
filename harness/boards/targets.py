"""The chips that firmware is built for, and how each is emulated."""

import dataclasses
from collections.abc import Sequence

from harness.errors import HilError


@dataclasses.dataclass(frozen=True)
class Emulation:
    """How QEMU stands in for a target.

    With `-icount shift=S` QEMU lets one instruction take 2^S ns of virtual time, in which SysTick counts at
    `systick_hz`. `serial` is the place of the target's UART among QEMU's serial ports.
    """

    machine: str
    systick_hz: int
    icount_shift: int
    serial: int

    @property
    def ticks_per_instruction(self) -> float:
        """SysTick ticks while one instruction executes."""
        return self.systick_hz * (1 << self.icount_shift) / 1e9

    def instructions(self, ticks: int) -> int:
        """Return the instructions that took `ticks`.

        The counter is read as a whole number, so `ticks` is up to one off either way. Where one instruction takes more
        than two ticks, that is less than half an instruction and rounding finds the exact count.
        """
        return round(ticks / self.ticks_per_instruction)


@dataclasses.dataclass(frozen=True)
class Target:
    """A chip or board family. `baud` is the rate of the UART that speaks the protocol; images go to `flash_address`."""

    name: str
    baud: int
    flash_address: int
    emulation: Emulation


TARGETS = {
    target.name: target
    for target in [
        # STM32F4 with 512 KiB flash and 128 KiB RAM, protocol on USART2: on a NUCLEO-F446RE its virtual COM port.
        Target(
            name="stm32f4",
            baud=460_800,
            flash_address=0x0800_0000,
            # A Cortex-M4 at 168 MHz whose USART2 is the second serial port; 64 ns an instruction make 10.752 ticks.
            emulation=Emulation(machine="netduinoplus2", systick_hz=168_000_000, icount_shift=6, serial=1),
        ),
    ]
}


ALL = "all"


def find_target(name: str) -> Target:
    """Return the target `name`. Raises HilError that lists those that exist."""
    if name not in TARGETS:
        raise HilError(f"--target={name}: no such target; there is {', '.join(sorted(TARGETS))}, or {ALL}")
    return TARGETS[name]


def find_targets(names: Sequence[str]) -> tuple[Target, ...]:
    """Return the targets `names`, each once; `all` is every one. Raises HilError as `find_target` does."""
    expanded = [name for given in names for name in (TARGETS if given == ALL else [given])]
    return tuple(find_target(name) for name in dict.fromkeys(expanded))
