"""Turn a target's TOML file into PlatformIO's description of a board, and into a linker script.

`hil targets` checks these files key by key. This module imports only the standard library, so PlatformIO may run in
another Python environment than the harness.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from platformio.exception import UserSideException
from platformio.platform.board import PlatformBoardConfig

LINKER_SCRIPT = "target.ld"
FLASH, RAM = "flash", "ram"

_UNITS = {"K": 1 << 10, "M": 1 << 20}
_PIN = re.compile(r"P([A-K])(\d+)|P(\d)\.(\d+)|GPIO(\d+)")


class TargetBoard(PlatformBoardConfig):  # type: ignore[misc]
    """The board that `file` describes. Raises UserSideException if it does not describe one."""

    def __init__(self, file: Path) -> None:
        self._id, self.manifest_path = file.stem, str(file)
        try:
            self._manifest = manifest(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UserSideException(f"{file}: no target of this firmware ({error!r}); see `hil targets`") from error


def find_targets(platform: Path, boards_dir: Path) -> dict[str, Path]:
    """Return the files of all targets by name: those of tflm-hil, and those of a project in its `boards_dir`.

    `platform` is the folder of this development platform, in a clone of tflm-hil or in an installed package.
    """
    project = platform.resolve().parents[1]
    clone, package = project / "harness" / "tflm_hil" / "targets", project.parent / "targets"
    folders = (boards_dir, clone if clone.is_dir() else package)
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.toml"))}


def manifest(target: Mapping[str, Any]) -> dict[str, Any]:
    """Return the board manifest of PlatformIO for a target of our firmware."""
    memory, build = target["memory"], target["build"]
    return {
        "name": f"{target['chip']}, {target['core']}",
        "vendor": target.get("board", ""),
        "url": "",
        "build": {
            "mcu": target["chip"],
            "f_cpu": f"{target['clock_hz']}L",
            # PlatformIO itself appends a "flags" to the build flags, but only for environments without any.
            "cpu_flags": build["flags"],
            "parts": build["parts"],
            "credits": build["credits"],
            "sensor": target.get("sensor", {}).get("driver", ""),
            "defines": _uart(target["uart"]) | _sensor(target.get("sensor")) | _literals(build.get("defines", {})),
            "linker_script": linker_script(memory, build["stack"]),
        },
        "upload": {
            "maximum_size": number_of_bytes(memory[FLASH]["size"]),
            "maximum_ram_size": number_of_bytes(memory[RAM]["size"]),
        },
    }


def number_of_bytes(size: str) -> int:
    """Return a size of a linker script in bytes: "512K" is 524288."""
    unit = _UNITS.get(size[-1])
    return int(size[:-1]) * unit if unit else int(size)


def linker_script(memory: Mapping[str, Any], stack: str) -> str:
    """Return the linker script of a target: its memory regions, then the script that all targets share.

    Each region other than flash and RAM gets a section of the same name, which is neither loaded nor cleared.
    """
    regions = "".join(
        f"    {name.upper()} ({'rx' if name == FLASH else 'rwx'}) : "
        f"ORIGIN = 0x{region['origin']:08x}, LENGTH = {region['size']}\n"
        for name, region in memory.items()
    )
    further = "".join(
        f"    .{name} (NOLOAD) : {{ *(.{name} .{name}.*) }} > {name.upper()}\n"
        for name in memory
        if name not in (FLASH, RAM)
    )
    return (
        f"/* Generated from the target's file; do not edit. */\nMEMORY\n{{\n{regions}}}\n\nSTACK_SIZE = {stack};\n\n"
        + (f"SECTIONS\n{{\n{further}}}\n\n" if further else "")
        + "INCLUDE cortexm.ld\n"
    )


def _uart(uart: Mapping[str, Any]) -> dict[str, str]:
    """The rate of the UART, and the ports and pins that the file names."""
    return _literals({"BOARD_UART_BAUD": uart["baud"], **_pins("BOARD_UART", uart, ("tx", "rx"))})


def _sensor(sensor: Mapping[str, Any] | None) -> dict[str, str]:
    """The number of the sensor's bus, its address there, and the pins; nothing if there is no sensor."""
    if sensor is None:
        return {}
    number = int(sensor["bus"].removeprefix("i2c"))
    place = {"BOARD_SENSOR_BUS": number, "BOARD_SENSOR_ADDRESS": sensor["address"]}
    return _literals({**place, **_pins("BOARD_SENSOR", sensor, ("scl", "sda"))})


def _pins(prefix: str, table: Mapping[str, Any], ends: Sequence[str]) -> dict[str, int]:
    """The ports and pins of those of `ends` that `table` names."""
    values = {}
    for end in ends:
        if pin := _PIN.fullmatch(table.get(end, "")):
            letter, of_letter, port, of_port, of_chip = pin.groups()
            values[f"{prefix}_{end.upper()}_PORT"] = ord(letter) - ord("A") if letter else int(port or 0)
            values[f"{prefix}_{end.upper()}_PIN"] = int(of_letter or of_port or of_chip)
    return values


def _literals(values: Mapping[str, int | str]) -> dict[str, str]:
    """Numbers as C literals, unsigned unless they are negative; texts unchanged."""
    return {
        name: f"{value}u" if isinstance(value, int) and value >= 0 else str(value) for name, value in values.items()
    }
