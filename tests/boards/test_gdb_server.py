"""GDB servers of tools that flash: how they are started, when they are there, and what they say when they are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.stand_in import StandIns
from support.targets import STM32F4
from tflm_hil.boards import probes
from tflm_hil.boards.flashers.gdb_server import ProbeGdbServer
from tflm_hil.boards.flashers.tool import Place
from tflm_hil.errors import HilError
from tflm_hil.targets.flash import FlashSettings, GdbSettings, OpenOcdSettings, PyOcdSettings, StFlashSettings

OPENOCD = OpenOcdSettings(config=["interface/stlink.cfg", "target/stm32f4x.cfg"])


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIns:
    monkeypatch.setattr(probes, "connected", list)
    return StandIns(tmp_path / "tools", monkeypatch)


def serve(settings: FlashSettings, folder: Path) -> ProbeGdbServer:
    return ProbeGdbServer(settings, Place("desk", "/dev/ttyACM0", folder / "hil-boards.toml", folder), STM32F4.uart)


@pytest.mark.parametrize(
    ("settings", "tool", "says", "arguments"),
    [
        (
            OPENOCD,
            "openocd",
            "Info : Listening on port 4711 for gdb connections",
            r"-s \S+ -f interface/stlink.cfg -f target/stm32f4x.cfg"
            r" -c gdb_port \d+; tcl_port disabled; telnet_port disabled -c init",
        ),
        (
            PyOcdSettings(chip="stm32f446xe"),
            "pyocd",
            "GDB server listening on port 4711",
            r"gdbserver -W -t stm32f446xe --persist -p \d+ -T 0",
        ),
    ],
)
def test_a_server_is_there_when_it_says_so_and_is_ended(
    tools: StandIns, tmp_path: Path, settings: FlashSettings, tool: str, says: str, arguments: str
) -> None:
    tools.add(tool, f"echo '{says}' >&2\nexec sleep 60")
    server = serve(settings, tmp_path)
    (call,) = tools.calls
    assert re.fullmatch(arguments, " ".join(call))
    assert re.fullmatch(r"localhost:\d+", server.address)
    assert server.address.partition(":")[2] in " ".join(call)
    assert not server.ended(0.0)
    server.close()
    assert server.ended(0.0)


def test_a_server_that_does_not_start_is_told_with_its_reason(tools: StandIns, tmp_path: Path) -> None:
    tools.add("openocd", "echo 'Error: open failed' >&2\nexit 1")
    with pytest.raises(HilError, match=r"^desk: openocd: found no debug probe: .*; see \S+gdb-server.log$"):
        serve(OPENOCD, tmp_path)


def test_a_server_that_runs_already_is_only_named(tmp_path: Path) -> None:
    server = serve(GdbSettings(server="jlink"), tmp_path)
    assert server.address == "localhost:2331"
    assert server.commands[0] == "monitor reset"
    server.close()


def test_a_tool_without_a_server_is_told(tmp_path: Path) -> None:
    with pytest.raises(HilError, match=r"^desk: what flashes it has no GDB server: name openocd or pyocd as method"):
        serve(StFlashSettings(), tmp_path)
