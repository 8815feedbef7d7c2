"""`hil boards`: ports and names, who has them, and what answers there."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo
from support import port_holder, pty_device, rfc2217_server
from support.fake_device import FakeDevice, Image, Misbehaviour
from support.hil_command import hil
from support.usb import usb_port
from tflm_hil.boards.serial import inquiry
from tflm_hil.boards.serial.port_lock import PortLock

BUILD_ID = bytes(range(20)).hex()


@pytest.fixture(autouse=True)
def usb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ListPortInfo]:
    """What is connected; there is no file of boards yet."""
    ports: list[ListPortInfo] = []
    monkeypatch.setattr(list_ports, "comports", lambda *_links: ports)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    return ports


@pytest.fixture
def board() -> Iterator[str]:
    """The port of a board."""
    with pty_device.serving(FakeDevice(Image(), lambda _window: bytes(4))) as port:
        yield port


def listed(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = hil("boards", "--json", *arguments, cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    boards: list[dict[str, Any]] = json.loads(done.stdout)
    return boards


def name_boards(folder: Path, text: str) -> None:
    (folder / "hil.toml").write_text('schema = "hil-project/1"\n')
    (folder / "hil-boards.toml").write_text('schema = "hil-boards/1"\n' + text)


def test_where_there_is_none_it_says_what_to_look_at(tmp_path: Path) -> None:
    done = hil("boards", cwd=tmp_path)
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert done.stdout.startswith("none on USB, and none in hil-boards.toml. On Linux a board is /dev/ttyACM0")
    assert listed(tmp_path) == []


def test_a_board_on_usb_is_listed_with_what_it_runs(tmp_path: Path, board: str, usb: list[ListPortInfo]) -> None:
    usb.append(usb_port(board, "066F", "1-1.4:1.2"))
    (found,) = listed(tmp_path)
    assert found == {
        "name": "",
        "port": board,
        "vid_pid": "0483:374B",
        "serial_number": "066F",
        "location": "1-1.4",
        "interface": "1.2",
        "product": "STM32 STLink",
        "held_by": [],
        "target": "stm32f4",
        "engine": "aot 0 (fake)",
        "build_id": BUILD_ID,
        "remark": "",
    }
    line = hil("boards", cwd=tmp_path).stdout.splitlines()[1].split()
    assert line == f"{board} 0483:374B 066F STM32 STLink stm32f4 aot 0 (fake), build {BUILD_ID[:12]}".split()


def test_the_rate_of_a_board_is_found_among_those_of_the_targets(
    tmp_path: Path, usb: list[ListPortInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    for baud in (115_200, 460_800):
        with pty_device.serving(FakeDevice(Image(), lambda _window: b""), baud) as port:
            usb[:] = [usb_port(port)]
            assert [found["target"] for found in listed(tmp_path)] == ["stm32f4"]
    monkeypatch.setattr(inquiry, "ATTEMPT_S", 0.01)
    with pty_device.serving(FakeDevice(Image(), lambda _window: b""), 460_800) as port:
        name_boards(tmp_path, f'[boards.desk]\nport = "{port}"\nbaud = 9600')
        assert [found["remark"] for found in listed(tmp_path)][:1] == ["is silent at 9,600 baud"]


def test_only_what_may_be_a_board_is_asked(tmp_path: Path, board: str, usb: list[ListPortInfo]) -> None:
    """Bytes that a GPS receiver, a modem or a power supply does not expect may do anything."""
    bridge = usb_port(board, "A50285BI")
    bridge.vid, bridge.pid, bridge.product = 0x0403, 0x6001, "FT232R USB UART"
    usb.append(bridge)
    assert [found["remark"] for found in listed(tmp_path)] == ["not asked"]
    assert [found["target"] for found in listed(tmp_path, "--ask")] == ["stm32f4"]
    name_boards(tmp_path, '[boards.desk]\nserial_number = "A50285BI"')
    assert [(found["name"], found["target"]) for found in listed(tmp_path)] == [("desk", "stm32f4")]
    assert [(found["name"], found["remark"]) for found in listed(tmp_path, "--no-ask")] == [("desk", "not asked")]


@pytest.mark.parametrize("arguments", [[], ["lock"]])
def test_a_board_that_somebody_has_is_left_alone(
    tmp_path: Path, board: str, usb: list[ListPortInfo], arguments: list[str]
) -> None:
    usb.append(usb_port(board, "066F"))
    with port_holder.holding(board, *arguments) as process:
        (found,) = listed(tmp_path, "--ask")
        assert found["target"] == ""
        (held_by,) = found["held_by"]
        assert f"(process {process} of " in held_by
        assert f"process {process} of" in hil("boards", cwd=tmp_path).stdout
    (found,) = listed(tmp_path)
    assert (found["target"], found["held_by"]) == ("stm32f4", [])


def test_a_board_behind_a_server_is_asked_too(tmp_path: Path, board: str) -> None:
    with rfc2217_server.serving(board) as url:
        name_boards(tmp_path, f'[boards.lab]\nport = "{url}"\ntarget = "stm32f4"')
        assert [(found["port"], found["target"]) for found in listed(tmp_path)] == [(url, "stm32f4")]


def test_a_port_of_the_network_that_another_run_has_is_left_alone(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        name_boards(tmp_path, f'[boards.lab]\nport = "{url}"')
        lock = PortLock(url)
        lock.acquire()
        lock.release()
        with port_holder.holding(lock.path, "lock") as process:
            (found,) = listed(tmp_path)
        assert (found["name"], found["port"]) == ("lab", url)
        assert f"(process {process} of " in found["held_by"][0]


def test_boards_with_names_come_first_whether_they_are_connected_or_not(
    tmp_path: Path, board: str, usb: list[ListPortInfo]
) -> None:
    usb += [usb_port("/dev/ttyACM0", "1"), usb_port("/dev/ttyACM1", "2")]
    name_boards(
        tmp_path,
        '[boards.b]\nserial_number = "2"\n[boards.c]\nserial_number = "3"\n[boards.d]\nport = "/dev/ttyX"\n'
        f'[boards.a]\nport = "{board}"\ntarget = "nrf51"\n[boards.e]\nport = "socket://lab"\n'
        '[boards.f]\nport = "labgrid:desk"',
    )
    found = listed(tmp_path)
    assert [(board["name"], board["port"]) for board in found] == [
        ("a", board),
        ("b", "/dev/ttyACM1"),
        ("c", ""),
        ("d", "/dev/ttyX"),
        ("e", "socket://lab"),
        ("f", "labgrid:desk"),
        ("", "/dev/ttyACM0"),
    ]
    remarks = [board["remark"] for board in found]
    assert remarks[0] == f"{tmp_path}/hil-boards.toml: [boards.a] says nrf51"
    assert remarks[1].startswith("there is no such port; serial ports here: ")
    assert remarks[2] == "not connected"
    assert remarks[3].startswith("there is no such port; serial ports here: ")
    assert remarks[4] == "expected socket://HOST:PORT"
    assert remarks[5] == "not asked"


@pytest.mark.parametrize(
    ("keys", "remark"),
    [
        ('target = "f4"', "[boards.a]: unknown target f4; choose uno, "),
        ('target = "all"', "[boards.a]: unknown target all; choose uno, "),
        ('target = "mps2_an386"\nprobe = "1"', "[boards.a]: probe is for a flash method that goes through one; "),
    ],
)
def test_an_entry_that_is_wrong_is_told_and_its_board_is_not_asked(
    tmp_path: Path, board: str, usb: list[ListPortInfo], keys: str, remark: str
) -> None:
    usb.append(usb_port(board, "066F"))
    for where in (f'port = "{board}"', 'serial_number = "066F"', 'serial_number = "067"'):
        name_boards(tmp_path, f"[boards.a]\n{where}\n{keys}\n[boards.b]\n{where}")
        found = {each["name"]: each for each in listed(tmp_path)}
        assert found["a"]["remark"].startswith(f"{tmp_path}/hil-boards.toml: {remark}")
        assert found["a"]["target"] == ""
        assert found["b"]["target"] == ("" if "067" in where else "stm32f4")


@pytest.mark.parametrize("port", ["lab", "auto", "emulated", "a,b"])
def test_an_entry_whose_port_is_none_is_told_with_its_file(tmp_path: Path, port: str) -> None:
    name_boards(tmp_path, f'[boards.a]\nport = "{port}"')
    (found,) = listed(tmp_path)
    assert found["remark"].startswith(f"{tmp_path}/hil-boards.toml: [boards.a]: ")
    assert f"{port} is no " in found["remark"]


def test_a_board_with_several_names_is_asked_for_each(tmp_path: Path, board: str) -> None:
    (tmp_path / "link").symlink_to(board)
    ports = [board, str(tmp_path / "link"), board]
    name_boards(tmp_path, "".join(f'[boards.b{number}]\nport = "{port}"\n' for number, port in enumerate(ports)))
    assert [(found["target"], found["remark"]) for found in listed(tmp_path)] == [("stm32f4", "")] * 3


@pytest.mark.parametrize(
    ("misbehaviour", "remark"),
    [
        (Misbehaviour.SILENT, r"is silent at [\d,]+( or [\d,]+)+ baud"),
        (Misbehaviour.GARBAGE, r"sends garbage at [\d,]+( or [\d,]+)+ baud"),
        (Misbehaviour.PROTOCOL, "speaks protocol version 2, this harness version 1; build and flash .*"),
    ],
)
def test_what_does_not_answer_as_it_should_is_told(
    tmp_path: Path,
    usb: list[ListPortInfo],
    monkeypatch: pytest.MonkeyPatch,
    misbehaviour: Misbehaviour,
    remark: str,
) -> None:
    if misbehaviour == Misbehaviour.SILENT:
        monkeypatch.setattr(inquiry, "ATTEMPT_S", 0.01)
    with pty_device.serving(FakeDevice(Image(), lambda _window: b"", misbehaviour)) as port:
        usb.append(usb_port(port))
        (found,) = listed(tmp_path)
    assert re.fullmatch(remark, found["remark"])
    assert found["target"] == ""
