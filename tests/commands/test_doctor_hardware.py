"""What `hil doctor` says about ports, probes, tools and the file of boards, none of which an emulator needs."""

from __future__ import annotations

import grp
import os
import re
import shutil
from pathlib import Path

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo
from support.hil_command import hil
from support.targets import TARGETS
from support.usb import usb_port
from tflm_hil.boards import probes, rights
from tflm_hil.commands.doctor.finding import Finding
from tflm_hil.commands.doctor.hardware import examine_hardware

HEAD = 'schema = "hil-boards/1"\n'


@pytest.fixture(autouse=True)
def usb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ListPortInfo]:
    """The ports of a machine without probes, and whose user has no file of boards."""
    ports: list[ListPortInfo] = []
    monkeypatch.setattr(list_ports, "comports", lambda *_links: ports)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(probes, "DEVICES", tmp_path / "devices")
    monkeypatch.setattr(probes, "FILES", tmp_path / "bus")
    return ports


def forbid(monkeypatch: pytest.MonkeyPatch, *files: Path) -> None:
    """Pretended, because root may use everything."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda file, mode: Path(file) not in files and access(file, mode))


def found(project: Path | None = None) -> dict[str, Finding]:
    findings = {finding.what: finding for finding in examine_hardware(project, TARGETS)}
    assert not any(finding.needed for finding in findings.values())
    return findings


def plug_probe(folder: Path, name: str, **says: str) -> Path:
    """A device as Linux shows it; return the file that tools open."""
    device = folder / "devices" / name
    device.mkdir(parents=True)
    for attribute, value in says.items():
        (device / attribute).write_text(f"{value}\n")
    file = folder / "bus" / says["busnum"].zfill(3) / says["devnum"].zfill(3)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return file


def test_where_nothing_is_connected_there_is_nothing_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "is_member", lambda _group: True)
    for what in ("serial ports", "debug probes", "hil-boards.toml"):
        assert (found()[what].found, found()[what].right) == ("none", True)


def test_a_user_who_could_use_no_port_is_told_before_one_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rights, "is_member", lambda _group: False)
    monkeypatch.setattr(rights, "first_group", lambda names: names[-1])
    ports = found()["serial ports"]
    assert (ports.right, ports.found) == (False, "none; you are not in uucp")
    assert ports.command == "sudo usermod -aG uucp $USER, log in again"


def test_ports_that_may_not_be_used_are_told_with_what_helps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, usb: list[ListPortInfo]
) -> None:
    open_, closed = tmp_path / "ttyACM0", tmp_path / "ttyACM1"
    (tmp_path / "hil-boards.toml").write_text(
        f'{HEAD}[boards.a]\nport = "{closed}"\n[boards.b]\nport = "socket://b:1"\n'
    )
    for file in (open_, closed):
        file.touch()
    usb.append(usb_port(open_))
    assert found(tmp_path)["serial ports"].found == f"{open_}, {closed}"
    forbid(monkeypatch, closed)
    ports = found(tmp_path)["serial ports"]
    assert (ports.right, ports.found, ports.command) == (False, f"{closed}: not permitted", rights.remedy(closed))


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to give files away: run as root")
def test_what_helps_depends_on_whom_a_port_belongs_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "ttyACM0"
    port.touch()
    shutil.chown(port, group="daemon")
    port.chmod(0o660)
    join = "join the group that owns it (`sudo usermod -aG daemon $USER`), log in again"
    assert rights.remedy(port) == join
    entry = grp.getgrnam("daemon")
    joined = grp.struct_group((*entry[:3], ["root"]))
    with monkeypatch.context() as patch:
        patch.setattr(grp, "getgrnam", lambda _name: joined)
        assert rights.remedy(port) == "log in again: you have joined the group daemon since this session began"
    port.chmod(0o600)
    assert rights.remedy(port).startswith(f"only its owner may use it: `ls -l {port}` shows who that is; a udev rule")
    shutil.chown(port, group="root")
    port.chmod(0o660)
    assert rights.remedy(port).startswith("only its owner may use it")


def test_probes_are_listed_and_those_that_may_not_be_used_are_told_with_the_rules(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    st_link = {"idVendor": "0483", "idProduct": "374b", "product": "STM32 STLink", "serial": "066F"}
    file = plug_probe(tmp_path, "1-1", **st_link, busnum="1", devnum="12")
    plug_probe(tmp_path, "1-2", idVendor="0d28", idProduct="0204", product="DAPLink CMSIS-DAP", busnum="1", devnum="3")
    plug_probe(tmp_path, "1-3", idVendor="0403", idProduct="6001", product="FT232R", busnum="1", devnum="4")
    there = found()["debug probes"]
    assert (there.right, there.found) == (True, "DAPLink CMSIS-DAP without a serial number, STM32 STLink 066F")
    assert file == tmp_path / "bus" / "001" / "012"
    forbid(monkeypatch, file)
    there = found()["debug probes"]
    assert (there.right, there.found) == (False, "STM32 STLink 066F: not permitted")
    assert there.command.startswith("hil doctor --udev-rules | sudo tee /etc/udev/rules.d/70-hil-probes.rules && sudo ")


def test_tools_that_flash_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "openocd").write_text("#!/bin/sh\n")
    (tmp_path / "openocd").chmod(0o755)
    findings = found()
    assert findings["openocd"].found == str(tmp_path / "openocd")
    assert (findings["st-flash"].right, findings["st-flash"].command) == (False, "apt-get install stlink-tools")


@pytest.mark.parametrize(
    ("text", "right", "said", "command"),
    [
        ('[boards.a]\nport = "/dev/x"\n[boards.b]\nport = "/dev/y"\ntarget = "nrf51"', True, "a, b", ""),
        ('[boards.a]\nporrt = "/dev/x"', False, "field `porrt`", "did you mean port?"),
        ('[boards.a]\nport = "x"', False, "[boards.a]: x is no port (serial ports", "name a device file, a URL ("),
        ('[boards.a]\nport = "x"\ntarget = "f4"', False, "[boards.a]: unknown target f4", "choose uno, mega2560, "),
    ],
)
def test_a_file_of_boards_that_is_wrong_is_told(
    tmp_path: Path, text: str, right: bool, said: str, command: str
) -> None:
    (tmp_path / "hil-boards.toml").write_text(HEAD + text)
    file = found(tmp_path)["hil-boards.toml"]
    assert file.right == right
    assert said in file.found
    assert file.command.startswith(command)


def test_rules_for_udev_are_printed_and_nothing_else() -> None:
    done = hil("doctor", "--udev-rules")
    assert done.returncode == 0
    key = r'[A-Z]+(\{\w+\})?(==|!=|=|\+=)"[^"]*"'
    rules = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(rf"{key}(, {key})*", line) for line in rules)
    assert all(product in done.stdout for product in probes.ST_LINK_PRODUCTS)
    assert [line for line in rules if "idVendor" in line and 'TAG+="uaccess"' not in line] == []
