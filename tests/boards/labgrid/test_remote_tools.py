"""What is called to flash a board at a place, and to switch its power."""

from __future__ import annotations

import shlex
import sys
import types
from pathlib import Path

import pytest
from support.targets import STM32F4, TARGETS
from tflm_hil.boards.flashers.tool import Place, ToolFlasher
from tflm_hil.boards.labgrid.keeper_process import Acquired
from tflm_hil.boards.labgrid.remote_tools import RemoteOpenOcd, RemoteTools
from tflm_hil.errors import HilError
from tflm_hil.progress import silent
from tflm_hil.targets.flash import CustomSettings, FlashSettings, OpenOcdSettings

IMAGE = types.SimpleNamespace(elf=Path("/b/program.elf"))
CLIENT = [sys.executable, "-P", "-m", "labgrid.remote.client", "-x", "lab:1", "-p", "desk"]
SETTINGS = OpenOcdSettings(config=["interface/stlink.cfg", "mine.cfg"], probe="066F")


def tools(folder: Path, *kinds: str) -> RemoteTools:
    at = Place("labgrid:desk", "rfc2217://bench:3000", folder / "hil-boards.toml", folder)
    return RemoteTools("lab:1", Acquired("desk", ["NetworkSerialPort", *kinds]), at)


def remote_openocd(folder: Path) -> RemoteOpenOcd:
    (folder / "mine.cfg").write_text("set CHIPNAME chip\n")
    at = Place("labgrid:desk", "rfc2217://bench:3000", folder / "hil-boards.toml", folder)
    return RemoteOpenOcd(SETTINGS, at, CLIENT, "desk")


@pytest.mark.usefixtures("labgrid")
def test_labgrid_reads_what_its_openocd_is_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from labgrid import Environment

    monkeypatch.setenv("LG_ENV", "mine.yaml")
    call = remote_openocd(tmp_path).write(IMAGE)  # type: ignore[arg-type]
    file = tmp_path / "flash.yaml"
    assert call.argv == [*CLIENT, "-c", str(file), "bootstrap", "/b/program.elf"]
    assert call.environment is not None
    assert "LG_ENV" not in call.environment
    target = Environment(str(file)).config.get_targets()["main"]
    assert target["resources"] == {"RemotePlace": {"name": "desk"}}
    driver = target["drivers"]["OpenOCDDriver"]
    assert [line.format(filename="/r/program.elf") for line in driver["load_commands"]] == [
        "init",
        "reset init",
        "flash write_image erase {/r/program.elf}",
        "verify_image {/r/program.elf}",
        "reset run",
        "shutdown",
    ]
    assert Path(driver["config"]).read_text().splitlines() == [
        "gdb_port disabled; tcl_port disabled; telnet_port disabled",
        "source [find interface/stlink.cfg]",
        "set CHIPNAME chip",
        "",
        "adapter serial 066F",
    ]


@pytest.mark.usefixtures("labgrid")
def test_a_reset_writes_nothing(tmp_path: Path) -> None:
    from labgrid import Environment

    call = remote_openocd(tmp_path).reset()
    assert call.argv[-4:] == ["-c", f"{tmp_path}/reset.yaml", "bootstrap", f"{tmp_path}/openocd.cfg"]
    driver = Environment(str(tmp_path / "reset.yaml")).config.get_targets()["main"]["drivers"]["OpenOCDDriver"]
    assert driver["load_commands"] == ["init", "reset run", "shutdown"]


def test_a_place_with_a_probe_is_flashed_by_openocd_and_one_without_says_what_it_needs(tmp_path: Path) -> None:
    assert STM32F4.flash is not None
    assert isinstance(tools(tmp_path, "NetworkUSBDebugger").flasher(STM32F4.flash), ToolFlasher)
    with pytest.raises(HilError) as caught:
        tools(tmp_path).flasher(STM32F4.flash).flash(IMAGE, silent)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "labgrid:desk: place desk has no NetworkUSBDebugger: let an exporter export its USBDebugger; or flash"
        " /b/program.elf with your own tool and run again"
    )


def test_a_method_that_needs_its_probe_here_is_refused(tmp_path: Path) -> None:
    settings = TARGETS["nrf51"].flash
    assert settings is not None
    with pytest.raises(HilError) as caught:
        tools(tmp_path, "NetworkUSBDebugger").flasher(settings).flash(IMAGE, silent)  # type: ignore[arg-type]
    assert str(caught.value) == (
        f"labgrid:desk: of the methods of [flash] in {tmp_path}/hil-boards.toml, openocd, gdb and custom work in a lab;"
        " or flash /b/program.elf with your own tool and run again"
    )


def test_a_command_of_the_users_own_gets_the_url_of_the_port(tmp_path: Path) -> None:
    settings: FlashSettings = CustomSettings(command=f"{sys.executable} -c 'print(\"{{port}}\")' {{port}}")
    assert "rfc2217://bench:3000" in tools(tmp_path).flasher(settings).flash(IMAGE, silent)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["NetworkPowerPort", "PDUDaemonPort"])
def test_a_power_port_is_switched_by_labgrid_client(tmp_path: Path, kind: str) -> None:
    assert tools(tmp_path).power() is None
    power = tools(tmp_path, kind).power()
    assert power is not None
    assert [shlex.split(command.line) for command in (power.off, power.on)] == [
        [*CLIENT, "power", "off"],
        [*CLIENT, "power", "on"],
    ]
