"""What is done to a board at the place's exporter: its debug probe flashes it, its power switch turns it off and on.

labgrid-client does both, from here: it knows every switch, and reaches a probe over SSH.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from tflm_hil.boards.flashers import openocd
from tflm_hil.boards.flashers.methods import flasher
from tflm_hil.boards.flashers.tool import Call, Complaint, Place, ToolFlasher
from tflm_hil.boards.labgrid.keeper_process import Acquired
from tflm_hil.boards.own_command import OwnCommand, Power
from tflm_hil.boards.protocols import Flasher
from tflm_hil.errors import HilError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.progress import Say
from tflm_hil.targets.flash import CustomSettings, FlashSettings, GdbSettings, OpenOcdSettings

PROBE = "NetworkUSBDebugger"
POWER = (
    "NetworkPowerPort",
    "NetworkSiSPMPowerPort",
    "NetworkUSBPowerPort",
    "NetworkYKUSHPowerPort",
    "PDUDaemonPort",
    "TasmotaPowerPort",
)
"""The kinds of resources that `labgrid-client power` switches."""

_NO_SERVERS = "gdb_port disabled; tcl_port disabled; telnet_port disabled"
"""Nobody talks to it, and another one of it may have these ports."""

# What the user has for his own calls of labgrid-client: another configuration, and a state that it is to bring about.
_NOT_OURS = ("LG_ENV", "LG_STATE", "STATE", "LG_INITIAL_STATE")


class RemoteTools:
    """What the place that was `acquired` has beside its serial port. `at` is what all tools are told of it."""

    def __init__(self, coordinator: str, acquired: Acquired, at: Place) -> None:
        self._client = [sys.executable, "-P", "-m", "labgrid.remote.client", "-x", coordinator, "-p", acquired.place]
        self._acquired = acquired
        self._at = at

    def power(self) -> Power | None:
        """Return its power switch, if there is one. What that says goes to power.log."""
        if not any(kind in POWER for kind in self._acquired.kinds):
            return None
        off, on = (
            OwnCommand(
                shlex.join([*self._client, "power", way]),
                f"board {self._at.board}: power {way} at place {self._acquired.place}",
                self._at.run_dir / "power.log",
            )
            for way in ("off", "on")
        )
        return Power(off, on)

    def flasher(self, settings: FlashSettings) -> Flasher:
        """Return what flashes it as `settings` say, which are those of its target or of hil-boards.toml."""
        if isinstance(settings, GdbSettings | CustomSettings):  # They go to other machines by themselves.
            return flasher(settings, self._at)
        if not isinstance(settings, OpenOcdSettings):
            methods = "openocd, gdb and custom"
            return NotFlashed(
                f"{self._at.board}: of the methods of [flash] in {self._at.origin}, {methods} work in a lab"
            )
        if PROBE not in self._acquired.kinds:
            place = self._acquired.place
            return NotFlashed(f"{self._at.board}: place {place} has no {PROBE}: let an exporter export its USBDebugger")
        return ToolFlasher(RemoteOpenOcd(settings, self._at, self._client, self._acquired.place), self._at)


class RemoteOpenOcd:
    """OpenOCD with the debug probe of a `place` of labgrid, at the exporter that has it; see Method."""

    tool = "openocd of its exporter"
    complaints = (
        Complaint(
            r"Could not resolve hostname|Host key verification failed|Permission denied \(|ssh: connect to host",
            "SSH does not get to the exporter: `ssh HOST` has to work without a password, for the host it names",
        ),
        Complaint(r"openocd: (command )?not found", "it is not installed at the exporter: apt-get install openocd"),
        Complaint(r"/var/cache/labgrid", "the exporter has no /var/cache/labgrid that you can write to: create it"),
        *openocd.OpenOcd.complaints,
    )

    def __init__(self, settings: OpenOcdSettings, at: Place, client: Sequence[str], place: str) -> None:
        self._settings = settings
        self._at = at
        self._client = client
        self._place = place
        self.timeout_s = settings.timeout_s

    def write(self, image: FirmwareImage) -> Call:
        """See Method. The image is copied to the exporter."""
        return self._call("flash", image.elf, openocd.steps("{{{filename}}}"))

    def reset(self) -> Call:
        """See Method. labgrid always copies a file."""
        return self._call("reset", self._configuration(), ["reset run"])

    def _call(self, name: str, file: Path, commands: list[str]) -> Call:
        driver = {"config": str(self._configuration()), "load_commands": ["init", *commands, "shutdown"]}
        target = {"resources": {"RemotePlace": {"name": self._place}}, "drivers": {"OpenOCDDriver": driver}}
        environment = self._at.run_dir / f"{name}.yaml"
        environment.write_text(json.dumps({"targets": {"main": target}}, indent=1), encoding="utf-8")
        variables = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
        return Call([*self._client, "-c", str(environment), "bootstrap", str(file)], variables)

    def _configuration(self) -> Path:
        """Write one file for OpenOCD: it names files of OpenOCD's own, and contains those that are only here."""
        file = self._at.run_dir / "openocd.cfg"
        lines = [_NO_SERVERS, *map(self._read_or_found, self._settings.config)]
        if self._settings.probe:
            lines.append(f"adapter serial {self._settings.probe}")
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return file

    def _read_or_found(self, name: str) -> str:
        here = self._at.origin.parent / name
        return here.read_text(encoding="utf-8") if here.is_file() else f"source [find {name}]"


class NotFlashed:
    """For a board whose tool would need its debug probe here; see Flasher."""

    persistent = True

    def __init__(self, why: str) -> None:
        self._why = why

    def flash(self, image: FirmwareImage, _say: Say) -> str:
        """See Flasher."""
        raise HilError(f"{self._why}; or flash {image.elf} with your own tool and run again")
