"""What boards make of ticks, and the boards that the options name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo
from support.renode_installation import install
from support.targets import STM32F4, TARGETS
from tflm_hil.boards.qemu import board as qemu
from tflm_hil.boards.qemu.board import QemuBoard
from tflm_hil.boards.renode import installation
from tflm_hil.boards.renode.board import RenodeBoard
from tflm_hil.boards.selection import check_each, find, find_each
from tflm_hil.boards.serial.board import SerialBoard
from tflm_hil.errors import HilError
from tflm_hil.progress import silent


@pytest.fixture(autouse=True)
def _no_ports_and_some_qemu(monkeypatch: pytest.MonkeyPatch) -> None:
    connect_ports(monkeypatch)
    monkeypatch.setattr(qemu, "version", lambda: "7.2.22")


def connect_ports(monkeypatch: pytest.MonkeyPatch, *usb: str, built_in: tuple[str, ...] = ()) -> None:
    ports = [ListPortInfo(device) for device in (*usb, *built_in)]
    for port in ports[: len(usb)]:
        port.vid, port.pid, port.product, port.serial_number = 0x0483, 0x374B, "STM32 STLink", f"066F{port.device}"
    monkeypatch.setattr(list_ports, "comports", lambda: ports)


def test_the_emulated_board_is_chosen_by_name(tmp_path: Path) -> None:
    choice = find("emulated", "auto", {}).check([STM32F4])
    assert (choice.name, choice.emulator, choice.targets) == ("emulated", "qemu 7.2.22", (STM32F4,))
    assert choice.describe() == "emulated (qemu 7.2.22, stm32f4)"
    assert isinstance(choice.open(tmp_path, silent), QemuBoard)
    assert find("emulated", "qemu", {}).spec == choice.found.spec


@pytest.mark.parametrize("port", ["/dev/null", "COM3", "socket://localhost:3000", "rfc2217://lab:2217?logging=debug"])
def test_a_port_or_url_is_a_serial_board(port: str, tmp_path: Path) -> None:
    choice = find(port, "auto", {}).check([STM32F4])
    assert (choice.name, choice.emulator) == (port, None)
    assert choice.describe() == f"{port} (stm32f4)"
    assert isinstance(choice.open(tmp_path, silent), SerialBoard)


def test_auto_is_the_one_board_on_usb(monkeypatch: pytest.MonkeyPatch) -> None:
    connect_ports(monkeypatch, "/dev/null", built_in=("/dev/ttyS0",))
    choice = find("auto", "auto", {}).check([STM32F4])
    assert choice.name == "/dev/null"
    assert choice.describe() == "/dev/null (stm32f4; auto: the only board that is connected)"


def test_auto_is_the_emulated_board_where_none_is_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    connect_ports(monkeypatch, built_in=("/dev/ttyS0",))
    choice = find("auto", "auto", {}).check([STM32F4])
    assert choice.name == "emulated"
    assert choice.describe() == "emulated (qemu 7.2.22, stm32f4; auto: no board is connected)"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("emulted", "auto", "stm32f4"),
            "unknown board emulted; choose emulated, auto, a port, labgrid:, qemu:, renode:, replay:, serial:, ",
        ),
        (
            ("/dev/ttyACM99", "auto", "stm32f4"),
            "board /dev/ttyACM99: there is no such port; serial ports here: /dev/a",
        ),
        (
            ("telnet://lab:23", "auto", "stm32f4"),
            "board telnet://lab:23: unknown kind telnet; choose emulated, auto, a port, labgrid:, qemu:, renode:, ",
        ),
        (("socket://lab", "auto", "stm32f4"), "board socket://lab: expected socket://HOST:PORT"),
        (
            ("auto", "auto", "stm32f4"),
            "board auto: several boards are connected; name one: "
            "/dev/a (0483:374B, STM32 STLink, serial number 066F/dev/a); /dev/b (",
        ),
        (("emulated", "bochs", "stm32f4"), "unknown emulator bochs; choose auto, qemu, renode or all"),
        (
            ("/dev/null", "qemu", "stm32f4"),
            "emulator qemu: /dev/null is not the emulated board; name no emulator, or choose board",
        ),
        (
            ("/dev/null", "auto", "nrf51,stm32f4"),
            "2 targets for /dev/null, which is one chip; name one target",
        ),
    ],
)
def test_a_wrong_option_is_told_with_what_there_is(
    monkeypatch: pytest.MonkeyPatch, options: tuple[str, str, str], message: str
) -> None:
    connect_ports(monkeypatch, "/dev/b", "/dev/a")
    with pytest.raises(HilError) as caught:
        find(*options[:2], {}).check([TARGETS[name] for name in options[2].split(",")])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_target_without_an_emulator_is_told_before_anything_is_built() -> None:
    real = msgspec.structs.replace(STM32F4, name="real", qemu=None, renode=None)
    told = r"does not emulate target real: .*stm32f4\.toml has no \[(qemu|renode)\]; use a real board$"
    for emulator in ("auto", "renode"):
        with pytest.raises(HilError, match=told):
            find("emulated", emulator, {}).check([STM32F4, real])
    assert find("/dev/null", "auto", {}).check([real]).targets == (real,)


@pytest.mark.parametrize(("chosen", "other"), [("qemu", "renode"), ("renode", "qemu")])
def test_a_target_that_only_the_other_emulator_has_is_told_with_its_name(chosen: str, other: str) -> None:
    target = msgspec.structs.replace(STM32F4, **{chosen: None})
    with pytest.raises(HilError, match=rf"has no \[{chosen}\]; emulate it with {other}$"):
        find("emulated", chosen, {}).check([target])


@pytest.mark.parametrize(
    ("board", "asked", "links"),
    [
        ("emulated", "auto", ("rtt", "uart")),
        ("emulated", "rtt", ("rtt",)),
        ("emulated", "uart", ("uart",)),
        ("/dev/null", "auto", ("uart",)),
        ("rtt://lab:9090", "auto", ("rtt",)),
    ],
)
def test_a_link_that_is_asked_for_is_the_only_one(board: str, asked: str, links: tuple[str, ...]) -> None:
    choice = find(board, "auto", {}, asked).check([STM32F4])
    assert (choice.found.spec.link, choice.links) == (asked, links)


def test_a_link_that_a_board_does_not_have_is_told() -> None:
    told = r"^board /dev/null has no link rtt, only uart: name a server of RTT, rtt://HOST:PORT$"
    with pytest.raises(HilError, match=told):
        find("/dev/null", "auto", {}, "rtt").check([STM32F4])


def test_renode_is_the_emulated_board_if_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(installation.VARIABLE, str(install(tmp_path, STM32F4)))
    choice = find("emulated", "renode", {}).check([STM32F4])
    assert choice.describe() == "emulated (renode 1.16.1, stm32f4)"
    assert isinstance(choice.open(tmp_path, silent), RenodeBoard)


def test_all_are_those_that_there_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(installation.VARIABLE, str(install(tmp_path, STM32F4)))
    both, missing = check_each(find_each(["emulated"], "all", {}), [STM32F4])
    assert [choice.emulator for choice in both] == ["qemu 7.2.22", "renode 1.16.1"]
    assert not missing
    monkeypatch.setenv(installation.VARIABLE, "/nowhere")
    (one,), missing = check_each(find_each(["emulated"], "all", {}), [STM32F4])
    assert one.emulator == "qemu 7.2.22"
    assert missing == {"renode": "HIL_RENODE=/nowhere: it is no executable file; name the executable of Renode"}
    real = msgspec.structs.replace(STM32F4, qemu=None, renode=None)
    with pytest.raises(HilError, match=r"^QEMU does not emulate target stm32f4"):
        check_each(find_each(["emulated"], "all", {}), [real])


def test_all_is_for_the_emulated_board_only() -> None:
    with pytest.raises(HilError, match=r"/dev/null is not the emulated board"):
        find_each(["/dev/null"], "all", {})


def test_a_missing_renode_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(installation.VARIABLE, raising=False)
    with pytest.raises(HilError, match=r"^Renode is not installed; install it \(`renode-run download`; "):
        find("emulated", "renode", {}).check([STM32F4])


def test_a_missing_emulator_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    qemu.version.cache_clear()
    monkeypatch.setattr(qemu, "QEMU", "qemu-system-missing")
    with pytest.raises(HilError, match=r"^qemu-system-missing is not installed; .*: apt-get install qemu-system-arm$"):
        find("emulated", "auto", {}).check([STM32F4])
