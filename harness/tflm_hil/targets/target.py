"""What a target is: a chip, where its memory lies, how firmware is built for it and what emulates it.

One TOML file holds it all. PlatformIO reads the same file (firmware/platform/builder/target_board.py).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tflm_hil.errors import HilError
from tflm_hil.targets.emulation import Qemu, Renode
from tflm_hil.targets.flash import FlashSettings
from tflm_hil.targets.sensor import MODELS, SensorModel
from tflm_hil.toml_file import decode_toml, fit

_Text = Annotated[str, Meta(min_length=1)]
_Positive = Annotated[int, Meta(ge=1)]
_Size = Annotated[str, Meta(pattern=r"^[1-9]\d*[KM]?$")]
# The names of a region: of the linker, and of a section.
_Region = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$")]
_Macro = Annotated[str, Meta(pattern=r"^[A-Za-z_]\w*$")]
# As chip makers write them: PA2, P0.24, or GPIO0.
_Pin = Annotated[str, Meta(pattern=r"^(P[A-K]\d{1,2}|P\d\.\d{1,2}|GPIO\d{1,2})$")]

MANIFEST = "target file"
"""What manifest_keys.py calls such files."""

FLASH, RAM = "flash", "ram"
ALL = "all"
"""No target's name: it stands for every one."""

_UNITS = {"K": 1 << 10, "M": 1 << 20}


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A region of memory: `size` as in linker scripts, such as 512K."""

    origin: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)]
    size: _Size

    @property
    def bytes(self) -> int:
        """The size as a number."""
        unit = _UNITS.get(self.size[-1])
        return int(self.size[:-1]) * unit if unit else int(self.size)


Level = Literal["low", "high", "leave"]
"""What a control line of a port is set to; `leave` keeps what the system makes of it, which on Linux is high."""


class Uart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The line that speaks the protocol: its rate, and its pins as seen from the chip.

    `dtr` and `rts` are the levels of the host's control lines while a port is open. High is what a board with native
    USB waits for before it sends; low is for boards that a high line keeps in reset.
    """

    baud: _Positive
    tx: _Pin | None = None
    rx: _Pin | None = None
    dtr: Level = "high"
    rts: Level = "high"


class Build(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How our firmware is built: compiler `flags`, and `parts`, the folders that make up its board support.

    `stack` is reserved at the bottom of RAM, `credits` is the number of requests that the device takes at once, a power
    of two, and `defines` is for the parts.
    """

    flags: Annotated[list[_Text], Meta(min_length=1)]
    parts: Annotated[list[Annotated[str, Meta(pattern=r"^\w+$")]], Meta(min_length=1)]
    stack: _Size
    credits: Annotated[int, Meta(ge=1, le=64)]
    defines: dict[_Macro, int | _Text] = {}

    def __post_init__(self) -> None:
        if self.credits & (self.credits - 1):
            raise ValueError("credits is not a power of two")


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sensor that our firmware reads: its `driver`, its `address` on a `bus` of the chip, and the pins of that.

    `parts` of the build needs one that drives the bus.
    """

    driver: Literal["lsm6dso", "mpu6050"]
    bus: Literal["i2c1", "i2c2", "i2c3"]
    address: Annotated[int, Meta(ge=0x08, le=0x77)]
    scl: _Pin
    sda: _Pin

    @property
    def model(self) -> SensorModel:
        """What it senses, and how."""
        return MODELS[self.driver]


class TargetFile(msgspec.Struct, forbid_unknown_fields=True):
    """What the file of a target may say."""

    schema: Literal["hil-target/1"]
    chip: _Text
    core: _Text
    clock_hz: _Positive
    memory: dict[_Region, Region]
    uart: Uart
    board: _Text | None = None
    build: Build | None = None
    sensor: Sensor | None = None
    qemu: Qemu | None = None
    renode: Renode | None = None
    flash: FlashSettings | None = None

    def __post_init__(self) -> None:
        if missing := [name for name in (FLASH, RAM) if name not in self.memory]:
            raise ValueError(f"[memory] has no {' and no '.join(missing)}")


def core_order(core: str) -> list[str | int]:
    """A key that sorts cores by their numbers: a Cortex-M4 comes before a Cortex-M33."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", core)]


class Target(msgspec.Struct, frozen=True):
    """A chip or board family, from the `file` of its name; see the classes above.

    `board` is one that people can buy. Without `build` it is for applications of the user's own, without `qemu` and
    `renode` for real boards, and without `flash` nothing here puts an image onto a real one.
    """

    name: str
    file: Path
    chip: str
    board: str | None
    core: str
    clock_hz: int
    memory: dict[str, Region]
    uart: Uart
    build: Build | None
    sensor: Sensor | None
    qemu: Qemu | None
    renode: Renode | None
    flash: FlashSettings | None

    @property
    def emulators(self) -> frozenset[str]:
        """The kinds of boards that emulate it."""
        return frozenset(name for name in ("qemu", "renode") if getattr(self, name) is not None)

    @property
    def rank(self) -> tuple[list[str | int], int, str]:
        """Smaller cores first, then smaller memories."""
        return core_order(self.core), sum(region.bytes for region in self.memory.values()), self.name


def read_target(file: Path) -> Target:
    """Read a target from its `file`. Raises HilError, which names the file and the key, if it is wrong."""
    if not re.fullmatch(r"[A-Za-z]\w*", file.stem, re.ASCII) or file.stem == ALL:
        rule = f"letters, digits and underscores, and not {ALL}"
        raise HilError(f"{file}: a target has the name of its file: {rule}; rename the file")
    content = fit(str(file), MANIFEST, decode_toml(file), TargetFile)
    return Target(
        name=file.stem,
        file=file,
        chip=content.chip,
        board=content.board,
        core=content.core,
        clock_hz=content.clock_hz,
        memory=content.memory,
        uart=content.uart,
        build=content.build,
        sensor=content.sensor,
        qemu=content.qemu,
        renode=content.renode,
        flash=content.flash,
    )
