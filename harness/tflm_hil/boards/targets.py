"""The chips that firmware is built for, and how each is emulated."""

import dataclasses
from collections.abc import Sequence

from tflm_hil.errors import HilError


@dataclasses.dataclass(frozen=True)
class Emulation:
    """How QEMU stands in for a target.

    With `-icount shift=S` QEMU lets one instruction take 2^S ns of virtual time, in which the counter that the firmware
    measures with (SysTick or a timer of the chip) counts at `counter_hz`. `serial` is the place of the target's UART
    among QEMU's serial ports. `loader` is the option of `program` that takes the image.

    `counter_hz` is 0 where no counter can be had: QEMU's AVR timers do not work with -icount.
    Where a reset of the machine leaves its core as it is, `resets` is False, and each session has a QEMU of its own.
    """

    machine: str
    counter_hz: int
    icount_shift: int
    serial: int
    program: str = "qemu-system-arm"
    loader: str = "-kernel"
    resets: bool = True

    @property
    def ticks_per_instruction(self) -> float:
        """Ticks of the counter while one instruction executes."""
        return self.counter_hz * (1 << self.icount_shift) / 1e9

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
    core: str
    baud: int
    flash_address: int
    emulation: Emulation


TARGETS = {
    target.name: target
    for target in [
        # nRF51822 with 256 KiB flash and 16 KiB RAM: a BBC micro:bit, its UART on the virtual COM port.
        Target(
            name="nrf51",
            core="Cortex-M0",
            baud=115_200,
            flash_address=0,
            # TIMER0 counts at 16 MHz: 128 ns an instruction make 2.048 ticks.
            emulation=Emulation(machine="microbit", counter_hz=16_000_000, icount_shift=7, serial=0),
        ),
        # STM32F205 with 1 MiB flash and 128 KiB RAM, protocol on USART2.
        Target(
            name="stm32f2",
            core="Cortex-M3",
            baud=460_800,
            flash_address=0x0800_0000,
            # A Cortex-M3 at 120 MHz whose USART2 is the second serial port; 64 ns an instruction make 7.68 ticks.
            emulation=Emulation(machine="netduino2", counter_hz=120_000_000, icount_shift=6, serial=1),
        ),
        # STM32F4 with 512 KiB flash and 128 KiB RAM, protocol on USART2: on a NUCLEO-F446RE its virtual COM port.
        Target(
            name="stm32f4",
            core="Cortex-M4",
            baud=460_800,
            flash_address=0x0800_0000,
            # A Cortex-M4 at 168 MHz whose USART2 is the second serial port; 64 ns an instruction make 10.752 ticks.
            emulation=Emulation(machine="netduinoplus2", counter_hz=168_000_000, icount_shift=6, serial=1),
        ),
        # Arm's MPS2+ board as a Cortex-M4, M7 and M33, each with 4 MiB for code and 4 MiB for data.
        Target(
            name="mps2_an386",
            core="Cortex-M4",
            baud=460_800,
            flash_address=0,
            # 25 MHz: 128 ns an instruction make 3.2 ticks.
            emulation=Emulation(machine="mps2-an386", counter_hz=25_000_000, icount_shift=7, serial=0),
        ),
        Target(
            name="mps2_an500",
            core="Cortex-M7",
            baud=460_800,
            flash_address=0,
            emulation=Emulation(machine="mps2-an500", counter_hz=25_000_000, icount_shift=7, serial=0),
        ),
        Target(
            name="mps2_an505",
            core="Cortex-M33",
            baud=460_800,
            flash_address=0x1000_0000,
            # 20 MHz: 128 ns an instruction make 2.56 ticks.
            emulation=Emulation(machine="mps2-an505", counter_hz=20_000_000, icount_shift=7, serial=0),
        ),
    ]
}


def _avr(name: str, core: str, machine: str) -> Target:
    emulation = Emulation(machine, 0, 0, 0, "qemu-system-avr", "-bios", resets=False)
    return Target(name, core, 115_200, 0, emulation)


# Chips that our own firmware is not made for: targets of applications of the user's own.
APPLICATION_TARGETS = {
    target.name: target
    for target in [_avr("uno", "AVR, ATmega328P", "uno"), _avr("mega2560", "AVR, ATmega2560", "mega2560")]
}

ALL = "all"


def find_target(name: str) -> Target:
    """Return the target `name`. Raises HilError that lists those that exist."""
    if name in APPLICATION_TARGETS:
        return APPLICATION_TARGETS[name]
    if name not in TARGETS:
        raise HilError(f"unknown target {name}; choose {', '.join(sorted(TARGETS))} or {ALL}")
    return TARGETS[name]


def find_targets(names: Sequence[str]) -> tuple[Target, ...]:
    """Return the targets `names`, each once; `all` is every one. Raises HilError as `find_target` does."""
    expanded = [name for given in names for name in (TARGETS if given == ALL else [given])]
    return tuple(find_target(name) for name in dict.fromkeys(expanded))
