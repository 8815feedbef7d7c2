"""How a board behind a port is reset: in every way that works, or as hil-boards.toml says."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from serial.tools import list_ports
from support import pty_device, rfc2217_server
from support.fake_device import BOOT, CRASH, HELLO, RESET, FakeDevice, Image
from support.fake_framing import frame
from support.pty import Pty
from support.targets import STM32F4
from tflm_hil.boards import own_command
from tflm_hil.boards.board_file import FILE, load_named_boards
from tflm_hil.boards.selection import find
from tflm_hil.boards.serial import named_reset
from tflm_hil.boards.serial import reset as serial_reset
from tflm_hil.boards.serial.board import SerialBoard
from tflm_hil.boards.serial.port import Port
from tflm_hil.boards.serial.reset import METHODS, SerialReset
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection, SerialConnection
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import HilError
from tflm_hil.progress import silent
from tflm_hil.targets.target import Uart

BOOTED, BOOTED_BY_SOFTWARE = frame(BOOT, 0, bytes([1, 2])), frame(BOOT, 0, bytes([1, 3]))
Open = Callable[..., SerialBoard]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(serial_reset, "PULSE_S", 0.0)
    monkeypatch.setattr(own_command, "OFF_S", 0.0)
    monkeypatch.setattr(list_ports, "comports", list)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def pty(tmp_path: Path) -> Iterator[Pty]:
    pty = Pty(tmp_path / "ttyACM0")
    pty.plug()
    yield pty
    if pty.master >= 0:
        pty.unplug()


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Open]:
    """Make the board `desk` at a port, with more keys."""
    boards: list[SerialBoard] = []

    def make(port: Path | str, *keys: str) -> SerialBoard:
        lines = "\n".join(keys)
        (tmp_path / FILE).write_text(f'schema = "hil-boards/1"\n[boards.desk]\nport = "{port}"\n{lines}\n')
        board = find("desk", "auto", load_named_boards(tmp_path)).check([STM32F4]).open(tmp_path, silent)
        assert isinstance(board, SerialBoard)
        boards.append(board)
        return board

    yield make
    for board in boards:
        board.close()


def python(script: str) -> str:
    """A command line in TOML that runs `script`."""
    return "'''" + shlex.join([sys.executable, "-c", script]) + "'''"


def test_what_a_boot_loader_prints_is_skipped_and_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_reset, "BOOT_S", 10.0)

    class Chatty(FakeDevice):
        def boot(self, cause: int = 1) -> bytes:
            return b"boot loader 1.2\r\njumping to 0x08004000\r\n\0" + super().boot(cause)

    with (
        pty_device.serving(Chatty(Image(), lambda _window: bytes(4))) as port,
        UartLog(tmp_path / "uart.log") as log,
    ):
        board = SerialBoard(port, STM32F4)
        client = Client(board.connect(), log)
        assert client.hello().target == "stm32f4"
        assert client.status().windows == 0
        board.close()
    text = (tmp_path / "uart.log").read_text()
    assert "'boot loader 1.2\\r\\njumping to 0x08004000\\r\\n'" in text
    assert text.index("boot loader") < text.index("BOOT")


def test_a_crash_before_the_reset_is_not_one_of_the_new_session(pty: Pty) -> None:
    def crash_and_boot(_connection: Connection) -> bool:
        os.write(pty.master, frame(CRASH, 0, bytes(33)) + b"\0text\0" + BOOTED + b"\0next")
        return True

    connection = Port(str(pty.name), Uart(115_200)).open()
    assert SerialReset("fake", [crash_and_boot]).reset(connection) == b"\0text\0" + BOOTED + b"\0next"
    connection.close()


@pytest.mark.parametrize("line", ["break_condition", "dtr", "rts"])
def test_a_board_that_does_not_listen_is_reset_by_a_line_that_resets_it(
    pty: Pty, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    used = []

    class Lines(SerialConnection):
        """A crashed board whose probe or bridge leads `line` to its reset pin."""

        def write(self, data: bytes) -> None:  # noqa: ARG002
            used.append("protocol")

        def set_line(self, name: str, on: bool) -> bool:
            used.append(name)
            if name == line and on:
                os.write(pty.master, BOOTED)
            return True

    monkeypatch.setattr(serial_reset, "BOOT_S", 0.1)
    connection = Lines(str(pty.name), 115_200, "fake")
    resetter = SerialReset("fake", METHODS.values())
    assert resetter.reset(connection) == BOOTED
    assert used[0] == "protocol"
    used.clear()
    assert resetter.reset(connection) == BOOTED
    assert "protocol" not in used  # What worked comes first from then on.
    connection.close()


def test_a_reset_by_the_control_lines_ends_where_it_began(pty: Pty) -> None:
    """A board that a high line keeps in reset would never boot otherwise."""
    asked: list[tuple[str, bool]] = []
    with rfc2217_server.serving(str(pty.name), asked) as url:
        connection = Port(url, Uart(115_200, dtr="low")).open()
        asked.clear()
        assert serial_reset.by_dtr(connection)
        assert asked == [("dtr", True), ("rts", False), ("dtr", False), ("rts", True)]
        connection.close()


def test_a_board_whose_port_leaves_with_its_reset_is_reset_once(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    """Native USB: another reset after each return would go on for ever."""
    resets = []

    def reset_board(_connection: Connection) -> bool:
        resets.append(1)
        pty.unplug()
        pty.plug()
        return True

    monkeypatch.setattr(named_reset, "METHODS", {"": reset_board})
    monkeypatch.setattr(serial_reset, "BOOT_S", 10.0)
    board = SerialBoard(str(pty.name), STM32F4)
    connection = board.connect()
    os.write(pty.master, b"!")
    assert connection.read(1.0) == b"!"
    assert len(resets) == 1
    board.close()


@pytest.mark.parametrize("way", ["protocol", "break", "dtr", "none"])
def test_a_board_is_reset_in_the_way_that_the_file_names_and_in_no_other(
    pty: Pty, named: Open, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    used = []

    def use(name: str, _connection: Connection) -> bool:
        used.append(name)
        return True

    monkeypatch.setattr(serial_reset, "BOOT_S", 0.0)
    monkeypatch.setattr(named_reset, "METHODS", {name: partial(use, name) for name in METHODS})
    named(pty.name, f'reset = "{way}"').connect()
    assert used == ([] if way == "none" else [way])


def test_a_command_of_the_users_own_resets_the_board(named: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_reset, "BOOT_S", 10.0)
    request = b"\0" + frame(HELLO, 0, bytes(5)) + frame(RESET, 1)
    with pty_device.serving(FakeDevice(Image(), lambda _window: b"")) as port:
        board = named(port, f"reset_command = {python(f'open({port!r}, chr(119) + chr(98)).write({request!r})')}")
        assert board.connect().read(0.0) == BOOTED_BY_SOFTWARE


def test_the_power_is_switched_if_nothing_else_resets_the_board(
    pty: Pty, named: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port leaves while the power is off, and comes back as another terminal."""
    other = Pty(tmp_path / "other")
    other.plug()
    off = python(f"import os; os.rename({str(pty.name)!r}, {str(tmp_path / 'unplugged')!r})")
    on = python(f"import os; os.symlink({os.ttyname(other._slave)!r}, {str(pty.name)!r})")
    monkeypatch.setattr(serial_reset, "BOOT_S", 0.01)
    board = named(pty.name, f"power.off = {off}", f"power.on = {on}")
    connection = board.connect()
    os.write(other.master, b"!")
    assert connection.read(1.0) == b"!"
    assert os.read(pty.master, 100).startswith(b"\0")  # The protocol was tried first.
    board.close()
    pty.name.unlink()
    (tmp_path / "unplugged").rename(pty.name)
    other.unplug()


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            "reset_command = 'no-such-tool --reset'",
            "reset_command: no-such-tool is not installed; install it, or correct",
        ),
        (
            f"reset_command = {python('print(chr(27) + str(7)); exit(3)')}",
            r"reset_command: `.*python.* -c .*` ended with 3 and said: 7",
        ),
        (f"power.off = {python('exit(1)')}\npower.on = 'true'", r"power\.off: `.*` ended with 1 and said: nothing"),
        (f"power.off = 'true'\npower.on = {python('exit(1)')}", r"power\.on: `.*` ended with 1 and said: nothing"),
        (
            f"reset_command = {python('print(chr(120) * 10**6); exit(1)')}",
            r"reset_command: `.*` .* said: x{150} \.\.\. x{150}$",
        ),
        (
            f"power.off = {python('import time; time.sleep(1e9)')}\npower.on = 'true'",
            r"power\.off: `.*` did not end in 0\.1 s and said: ",
        ),
    ],
)
def test_a_command_that_fails_is_one_line_that_names_its_key(
    pty: Pty, named: Open, monkeypatch: pytest.MonkeyPatch, keys: str, said: str
) -> None:
    monkeypatch.setattr(serial_reset, "BOOT_S", 0.0)
    monkeypatch.setattr(own_command, "LIMIT_S", 0.1 if "sleep" in keys else 30.0)
    board = named(pty.name, keys)
    with pytest.raises(HilError, match=rf"hil-boards\.toml: \[boards\.desk\]: {said}") as caught:
        board.connect()
    assert "\n" not in str(caught.value)


def test_a_probe_that_nobody_names_cannot_reset_a_board(pty: Pty, named: Open) -> None:
    with pytest.raises(HilError, match=r'\[boards\.desk\]: reset = "probe" did not work; see .*reset\.log$'):
        named(pty.name, 'reset = "probe"', "[boards.desk.flash]", 'method = "custom"', 'command = "true"').connect()
    with pytest.raises(HilError, match=r'\[boards\.desk\]: reset = "probe" needs a probe; say in \[flash\] how'):
        named_reset.serial_reset("desk", load_named_boards(pty.name.parent)["desk"], None, pty.name.parent)
