"""How QEMU and Renode stand in for a target."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1)]
_Positive = Annotated[int, Meta(ge=1)]
_Address = Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
_Irq = Annotated[int, Meta(ge=0, le=0xFFFF)]
# What Renode takes for a name, a model and a string.
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*$")]
_Model = Annotated[str, Meta(pattern=r"^\w+(\.\w+)+$")]
_String = Annotated[str, Meta(pattern=r'^[^"\\\n]*$')]


class Qemu(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How QEMU stands in for a target.

    With `-icount shift=S` QEMU lets one instruction take 2^S ns of virtual time, in which the counter that the firmware
    measures with (SysTick or a timer of the chip) counts at `counter_hz`. A target without both counts nothing.

    `serial` is the place of the UART among QEMU's serial ports, and `loader` the option of `program` that takes the
    image. If a reset of the machine leaves its core as it is, `resets` is False: each session then has a QEMU of its
    own.
    """

    machine: _Text
    serial: Annotated[int, Meta(ge=0, le=15)] = 0
    icount_shift: Annotated[int, Meta(ge=0, le=10)] | None = None
    counter_hz: _Positive | None = None
    program: Annotated[str, Meta(pattern=r"^qemu-system-\w+$")] = "qemu-system-arm"
    loader: Annotated[str, Meta(pattern=r"^-\w+$")] = "-kernel"
    resets: bool = True

    def __post_init__(self) -> None:
        if (self.icount_shift is None) != (self.counter_hz is None):
            raise ValueError("icount_shift and counter_hz go together; set both or neither")
        if self.icount_shift is not None and self.ticks_per_instruction <= 2:
            raise ValueError(
                f"icount_shift {self.icount_shift} gives {self.ticks_per_instruction:g} ticks an instruction, and only "
                "more than 2 tell exact counts; raise it"
            )

    @property
    def ticks_per_instruction(self) -> float:
        """Ticks of the counter while one instruction executes; 0 if there is none."""
        if self.counter_hz is None or self.icount_shift is None:
            return 0.0
        return self.counter_hz * (1 << self.icount_shift) / 1e9


class Peripheral(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A peripheral in Renode: its `model` at an `address` of the system bus.

    `irq` is the input of the NVIC that it is connected to, or one for each of its outputs by their names. Without model
    and address it is one that is there already, and `properties` are changed.
    """

    model: _Model | None = None
    address: _Address | None = None
    irq: _Irq | dict[_Name, _Irq] | None = None
    properties: dict[_Name, bool | int | _String] = {}

    def __post_init__(self) -> None:
        if (self.model is None) != (self.address is None):
            raise ValueError("model and address go together; set both or neither")


class Renode(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How Renode stands in for a target.

    Its core executes `mips` instructions in a microsecond of virtual time, in which the counter that the firmware
    measures with counts at `counter_hz`. `uart` is the peripheral that speaks the protocol.

    `base` is one of Renode's own platform files, whose core is called `cpu` and whose interrupt controller `nvic`.
    Without it the machine consists of core, interrupt controller and the memory of the target. `peripherals` are put
    on top.
    """

    uart: _Name
    mips: _Positive
    counter_hz: _Positive
    base: Annotated[str, Meta(pattern=r"^[\w./-]+\.repl$")] | None = None
    peripherals: dict[_Name, Peripheral] = {}

    def __post_init__(self) -> None:
        if self.ticks_per_instruction < 1:
            raise ValueError(
                f"{self.mips} MIPS give {self.ticks_per_instruction:g} ticks an instruction, and less than 1 tell no "
                "exact counts; lower mips"
            )
        if self.base is None:
            known = {name for name, peripheral in self.peripherals.items() if peripheral.model} | {"cpu", "nvic"}
            for name in (self.uart, *self.peripherals):
                if name not in known:
                    raise ValueError(f"{name} is nowhere described; give its model and address in peripherals")

    @property
    def ticks_per_instruction(self) -> float:
        """Ticks of the counter while one instruction executes."""
        return self.counter_hz / (self.mips * 1e6)
