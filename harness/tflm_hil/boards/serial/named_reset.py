"""How a board is reset: as hil-boards.toml says, or in every way that there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tflm_hil.boards.board_file import NamedBoard
from tflm_hil.boards.flashers.tool import ToolFlasher
from tflm_hil.boards.own_command import OwnCommand, Power
from tflm_hil.boards.serial.reset import METHODS, Method, SerialReset
from tflm_hil.device.connection import Connection
from tflm_hil.errors import HilError


def serial_reset(
    name: str, named: NamedBoard | None, tool: ToolFlasher | None, run_dir: Path, power: Power | None = None
) -> SerialReset:
    """Return the reset of the board `name`. `tool` is what flashes it; what commands say goes to `run_dir`.

    `power` is its power switch, unless hil-boards.toml has another one.

    Raises HilError for a probe if there is none.
    """
    if named is None:
        return SerialReset(name, _every_way(tool), power)
    return SerialReset(name, _ways(named, tool, run_dir), _power(named, run_dir) or power)


def _every_way(tool: ToolFlasher | None) -> Iterator[Method]:
    yield from METHODS.values()
    if tool is not None:
        yield lambda _connection: tool.reset()


def _ways(named: NamedBoard, tool: ToolFlasher | None, run_dir: Path) -> Iterator[Method]:
    way, line = named.table.reset, named.table.reset_command
    if line is not None:
        command = OwnCommand(line, f"{named.origin}: reset_command", run_dir / "reset.log")

        def by_command(_connection: Connection) -> bool:
            command.run()
            return True

        yield by_command
    elif way is None:
        yield from _every_way(tool)
    elif way == "probe":
        if tool is None:
            raise HilError(f'{named.origin}: reset = "probe" needs a probe; say in [flash] how the board is flashed')

        def by_probe(_connection: Connection) -> bool:
            if not tool.reset():
                raise HilError(f'{named.origin}: reset = "probe" did not work; see {run_dir / "reset.log"}')
            return True

        yield by_probe
    elif way != "none":
        yield METHODS[way]


def _power(named: NamedBoard, run_dir: Path) -> Power | None:
    switch = named.table.power
    if switch is None:
        return None
    off, on = (
        OwnCommand(line, f"{named.origin}: power.{key}", run_dir / "power.log")
        for key, line in (("off", switch.off), ("on", switch.on))
    )
    return Power(off, on)
