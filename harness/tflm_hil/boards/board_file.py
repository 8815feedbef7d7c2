"""hil-boards.toml: names that the user gives to real boards, each with what is particular to it."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tflm_hil.boards.serial import usb_port
from tflm_hil.boards.serial.usb_port import UsbPort
from tflm_hil.errors import HilError
from tflm_hil.targets import Target
from tflm_hil.targets.flash import FlashSettings
from tflm_hil.targets.target import Level, Uart
from tflm_hil.toml_file import read_toml

FILE = "hil-boards.toml"
RESERVED = ("auto", "emulated")

_MOST_PORTS = 65_535
"""The last port of TCP."""

_Text = Annotated[str, Meta(min_length=1)]
# It must be told from a port, a URL, KIND:ADDRESS, and several boards, which commas separate.
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class PowerSwitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[boards.NAME.power]: the command lines that switch a board `off` and `on`. No shell reads them."""

    off: _Text
    on: _Text

    def __post_init__(self) -> None:
        _check_command("off", self.off)
        _check_command("on", self.on)


class BoardTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[boards.NAME]: which board it is, and how it is dealt with.

    It is at `port`, a device file or URL, or it is the one on USB that all of `serial_number`, `vid_pid`, `location`
    and `interface` apply to. `rtt` is the HOST:PORT at which the program of its probe serves the rings in its memory.
    What else is left out is as its target says, or as it is for every board.
    """

    port: _Text | None = None
    serial_number: _Text | None = None
    vid_pid: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{4}:[0-9A-Fa-f]{4}$")] | None = None
    location: Annotated[str, Meta(pattern=r"^\d+-\d+(\.\d+)*$")] | None = None
    interface: Annotated[str, Meta(pattern=r"^\d+\.\d+$")] | None = None
    target: _Text | None = None
    baud: Annotated[int, Meta(ge=1)] | None = None
    dtr: Level | None = None
    rts: Level | None = None
    rtt: Annotated[str, Meta(pattern=r"^[^\s:/]+:\d{1,5}$")] | None = None
    probe: _Text | None = None
    flash: FlashSettings | None = None
    reset: Literal["protocol", "break", "dtr", "probe", "none"] | None = None
    reset_command: _Text | None = None
    power: PowerSwitch | None = None

    def __post_init__(self) -> None:
        if bool(self.usb) == bool(self.port):
            raise ValueError(f"say which board it is: either by port, or by {', '.join(_USB[:-1])} or {_USB[-1]}")
        if self.rtt is not None and not 0 < int(self.rtt.rpartition(":")[2]) <= _MOST_PORTS:
            raise ValueError(f"rtt has no port between 1 and {_MOST_PORTS}")
        if self.reset_command is not None:
            _check_command("reset_command", self.reset_command)
            if self.reset is not None:
                raise ValueError("reset and reset_command are two ways to reset a board; delete one of them")

    @property
    def usb(self) -> dict[str, str]:
        """What the port on USB has to be like."""
        wanted = {name: getattr(self, name) for name in _USB}
        return {name: text for name, text in wanted.items() if text is not None}


_USB = ("serial_number", "vid_pid", "location", "interface")


class BoardFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file may say."""

    schema: Literal["hil-boards/1"]
    boards: dict[_Name, BoardTable] = {}

    def __post_init__(self) -> None:
        if taken := [name for name in RESERVED if name in self.boards]:
            raise ValueError(f"[boards.{taken[0]}]: {taken[0]} has a meaning of its own; choose another name")


@dataclass(frozen=True)
class NamedBoard:
    """A board of the user's `file`."""

    name: str
    file: Path
    table: BoardTable

    @property
    def origin(self) -> str:
        """What to call its table in a message."""
        return f"{self.file}: [boards.{self.name}]"

    def is_at(self, port: UsbPort) -> bool:
        """Whether `port` is the board's."""
        wanted = self.table.usb
        return bool(wanted) and all(text.casefold() == getattr(port, name).casefold() for name, text in wanted.items())

    def usb_port(self) -> UsbPort | None:
        """Find it on USB; None for a board that is named by its port. Raises HilError unless exactly one is found."""
        if self.table.port:
            return None
        there = usb_port.connected()
        found = [port for port in there if self.is_at(port)]
        if len(found) == 1:
            return found[0]
        wanted = ", ".join(f"{name} {text}" for name, text in self.table.usb.items())
        if found:
            raise HilError(
                f"board {self.name}: {wanted} applies to {len(found)} ports: {'; '.join(map(str, found))};"
                f" add one of {', '.join(name for name in _USB if name not in self.table.usb)} to {self.origin}"
            )
        others = "; ".join(map(str, there)) or "none"
        raise HilError(f"board {self.name}: no port with {wanted} is connected; on USB there are: {others}")

    def target(self, known: Mapping[str, Target]) -> Target | None:
        """Return the target that it is, None if the file does not say. Raises HilError for one that is not `known`."""
        name = self.table.target
        if name is None:
            return None
        if name not in known:
            raise HilError(f"{self.origin}: unknown target {name}; choose {', '.join(known)}")
        return known[name]

    def line(self, uart: Uart) -> Uart:
        """The line to this board, which is `uart` but for what the file says."""
        own = {name: getattr(self.table, name) for name in ("baud", "dtr", "rts")}
        return msgspec.structs.replace(uart, **{name: value for name, value in own.items() if value is not None})

    def flash(self, target: Target) -> tuple[FlashSettings | None, Path]:
        """How this board, which is a `target`, is flashed, if anybody says so, and the file that does.

        Raises HilError for a probe that is not used.
        """
        settings, origin = (self.table.flash, self.file) if self.table.flash else (target.flash, target.file)
        if self.table.probe is None:
            return settings, origin
        if settings is None or not hasattr(settings, "probe"):
            raise HilError(f"{self.origin}: probe is for a flash method that goes through one; delete it")
        return msgspec.structs.replace(settings, probe=self.table.probe), origin


def load_named_boards(project: Path | None) -> dict[str, NamedBoard]:
    """Return the boards of the file in the folder `project`, then those of the user's file that it does not name.

    Raises HilError if a file is wrong.
    """
    folders = [folder for folder in (_user_folder(), project) if folder is not None]
    found: dict[str, NamedBoard] = {}
    for file in (folder / FILE for folder in folders):
        if os.path.lexists(file):
            found |= {name: NamedBoard(name, file, table) for name, table in read_toml(file, BoardFile).boards.items()}
    return found


def _check_command(key: str, line: str) -> None:
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise ValueError(f"{key} is no command line ({error})") from None
    if not words:
        raise ValueError(f"{key} is an empty command line")


def _user_folder() -> Path | None:
    """The harness's folder of the user's configuration; None for a user without a home."""
    given = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    with contextlib.suppress(RuntimeError):
        return (given if given.is_absolute() else Path.home() / ".config") / "tflm-hil"
    return None
