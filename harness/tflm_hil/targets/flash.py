"""How images get onto a board: the table [flash] of a target's file, one form for each method.

`method` names the form, and boards/flashers/ has a file for each. A board of the user's own may have another table than
its target, or another `probe`.
"""

from __future__ import annotations

import re
import shlex
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1)]
_Seconds = Annotated[int, Meta(ge=1, le=3600)]

OF_BOARD, OF_IMAGE = ("port", "serial"), ("elf", "bin", "hex", "address")
"""What may stand in {} in the commands of CustomSettings."""


class _Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="method"):
    """What all forms have: after `timeout_s` seconds the tool is killed."""

    timeout_s: _Seconds = 120


class _ProbeSettings(_Settings, frozen=True, kw_only=True):
    """A tool that goes through a debug probe: `probe` is its serial number, needed where there are several."""

    probe: _Text | None = None


class GdbSettings(_Settings, frozen=True, tag="gdb"):
    """GDB, through a GDB server that runs already: at `address`, or else at the usual port of such a `server`."""

    server: Literal["jlink", "openocd", "pyocd", "qemu", "renode"]
    address: Annotated[str, Meta(pattern=r"^\S+:\d+$")] | None = None


class OpenOcdSettings(_ProbeSettings, frozen=True, tag="openocd"):
    """OpenOCD with the files `config`: its own (`interface/stlink.cfg`), or some beside the file with this table."""

    config: Annotated[list[_Text], Meta(min_length=1)]


class PyOcdSettings(_ProbeSettings, frozen=True, tag="pyocd"):
    """pyOCD with `chip`, one of `pyocd list --targets`."""

    chip: _Text


class StFlashSettings(_ProbeSettings, frozen=True, tag="st-flash"):
    """st-flash of the stlink tools."""


class PlatformIoSettings(_Settings, frozen=True, tag="platformio"):
    """The target `upload` of the PlatformIO environment that built the image."""


class CopySettings(_Settings, frozen=True, tag="copy"):
    """A copy of the image to the drive that the board shows: at `path`, or the one with the volume `label`."""

    label: _Text | None = None
    path: _Text | None = None
    format: Literal["bin", "hex"] = "hex"

    def __post_init__(self) -> None:
        if (self.label is None) == (self.path is None):
            raise ValueError("[flash] copy: set label or path, one of them")


class CustomSettings(_ProbeSettings, frozen=True, tag="custom"):
    """A `command` of the user's own, and one that resets the board. No shell reads them.

    In both, {port} and {serial} stand for the board's port and the serial number of its probe; in `command` also {elf},
    {bin}, {hex} and {address}, where the flash begins.
    """

    command: _Text
    reset: _Text | None = None

    def __post_init__(self) -> None:
        for key, text, known in (("command", self.command, OF_BOARD + OF_IMAGE), ("reset", self.reset, OF_BOARD)):
            try:
                words = shlex.split(text or key)
            except ValueError as error:
                raise ValueError(f"{key} in [flash]: {error}") from None
            if not words:
                raise ValueError(f"{key} in [flash] is empty")
            for name in set(re.findall(r"{(\w+)}", " ".join(words))) - set(known):
                raise ValueError(f"{key} in [flash] knows no {{{name}}}, but {{{'}, {'.join(known)}}}")


FlashSettings = (
    GdbSettings | OpenOcdSettings | PyOcdSettings | StFlashSettings | PlatformIoSettings | CopySettings | CustomSettings
)
