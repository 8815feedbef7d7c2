"""What real boards need: rights to ports and debug probes, tools that flash, and a file of boards that is right."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tflm_hil.boards import probes, rights, udev_rules
from tflm_hil.boards.board_file import FILE, NamedBoard, load_named_boards
from tflm_hil.boards.selection import check_table
from tflm_hil.boards.serial import port_name, usb_port
from tflm_hil.commands.doctor.finding import Finding
from tflm_hil.errors import HilError
from tflm_hil.targets import Target

TOOLS = {
    "openocd": "apt-get install openocd",
    "pyocd": "pip install pyocd",
    "st-flash": "apt-get install stlink-tools",
    "gdb-multiarch": "apt-get install gdb-multiarch",
    "avrdude": "apt-get install avrdude",
}
"""What flashes boards, and the command that brings it."""

UDEV_COMMAND = (
    f"hil doctor --udev-rules | sudo tee {udev_rules.FILE} && sudo udevadm control --reload && sudo udevadm trigger"
)


def examine_hardware(project: Path | None, targets: Mapping[str, Target]) -> Iterator[Finding]:
    """Look for what boards need. Nothing of it is needed for the emulated one.

    `project` is the folder with hil-boards.toml, if there is one, and `targets` are those that boards may be.
    """
    named: dict[str, NamedBoard] = {}
    try:
        named = load_named_boards(project)
    except HilError as error:
        yield _wrong_file(error)
    else:
        yield _boards(named, targets)
    yield _ports(named)
    yield _probes()
    for tool, command in TOOLS.items():
        found = shutil.which(tool) or shutil.which(tool, path=str(Path(sys.executable).parent))
        yield _fine(tool, found) if found else _optional(tool, "not installed", command)


def _fine(what: str, found: str) -> Finding:
    return Finding(what, found, right=True, needed=False, command="")


def _optional(what: str, found: str, command: str) -> Finding:
    return Finding(what, found, right=False, needed=False, command=command)


def _wrong_file(error: HilError) -> Finding:
    said, _, remedy = str(error).rpartition("; ")
    return _optional(FILE, said, remedy)


def _boards(named: Mapping[str, NamedBoard], targets: Mapping[str, Target]) -> Finding:
    for board in named.values():
        try:
            check_table(board, targets)
        except HilError as error:
            return _wrong_file(error)
    return _fine(FILE, ", ".join(named) or "none")


def _ports(named: Mapping[str, NamedBoard]) -> Finding:
    names = [port.device for port in usb_port.connected()]
    names += [port for board in named.values() if (port := board.table.port) and port not in names]
    found = dict.fromkeys(file for name in names if (file := port_name.device_file(name)) is not None)
    files = [file for file in found if not port_name.why_not_there(file)]
    closed = [file for file in files if not rights.may_use(file)]
    if closed:
        return _optional("serial ports", f"{', '.join(map(str, closed))}: not permitted", rights.remedy(closed[0]))
    if files:
        return _fine("serial ports", ", ".join(map(str, files)))
    group = rights.first_group(rights.PORT_GROUPS)
    if group is None or rights.is_member(group):
        return _fine("serial ports", "none")
    return _optional("serial ports", f"none; you are not in {group}", f"sudo usermod -aG {group} $USER, log in again")


def _probes() -> Finding:
    there = probes.connected()
    closed = [probe for probe in there if not rights.may_use(probe.file)]
    if closed:
        return _optional("debug probes", f"{', '.join(map(str, closed))}: not permitted", UDEV_COMMAND)
    return _fine("debug probes", ", ".join(map(str, there)) or "none")
