"""Ports of every kind: found, opened, locked, lost and found again."""

from __future__ import annotations

import errno
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo
from support import fake_board, port_holder, rfc2217_server, ser2net
from support.device_helpers import bench as device_bench
from support.pty import Pty
from support.targets import STM32F4
from support.usb import usb_port
from tflm_hil.boards import lock_file
from tflm_hil.boards.serial import port, port_name
from tflm_hil.boards.serial import reset as serial_reset
from tflm_hil.boards.serial.board import SerialBoard
from tflm_hil.boards.serial.port import Port
from tflm_hil.boards.serial.port_lock import PortLock
from tflm_hil.device import connection as connection_module
from tflm_hil.device.client import Client
from tflm_hil.device.connection import SerialConnection, SocketConnection
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import HilError, LineError
from tflm_hil.targets.target import Uart

BUILD_ID = bytes(range(20))


@pytest.fixture
def pty(tmp_path: Path) -> Iterator[Pty]:
    pty = Pty(tmp_path / "ttyACM0")
    pty.plug()
    yield pty
    if pty.master >= 0:
        pty.unplug()


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> list[ListPortInfo]:
    """What is connected."""
    ports: list[ListPortInfo] = []
    monkeypatch.setattr(list_ports, "comports", lambda *_links: ports)
    return ports


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((serial_reset, "BOOT_S"), (serial_reset, "PULSE_S"), (port, "_POLL_S")):
        monkeypatch.setattr(module, name, 0.0)


def test_a_board_behind_rfc2217_answers_and_its_port_is_configured_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_reset, "BOOT_S", 10.0)
    with (
        fake_board.running("gesture", "int8", BUILD_ID) as terminal,
        rfc2217_server.serving(terminal) as url,
        UartLog(tmp_path / "uart.log") as log,
    ):
        board = SerialBoard(url, STM32F4)
        for _ in range(2):  # Each connection finds a board that has just booted.
            connection = board.connect()
            monkeypatch.setattr("serial.rfc2217.Serial._reconfigure_port", None)
            client = Client(connection, log)
            assert client.hello().build_id == BUILD_ID
            assert client.status().windows == 0
            assert len(client.stream(np.full((60, 6), -1, np.int16))) == 7  # 0xFF, which Telnet doubles
            assert client.link.events == []
        board.close()


@pytest.mark.parametrize(
    ("uart", "opened"),
    [
        (Uart(115_200, dtr="low"), [("dtr", False), ("rts", True)]),
        (Uart(115_200, dtr="leave", rts="leave"), []),
    ],
)
def test_a_port_of_the_network_is_opened_with_its_control_lines_as_the_target_says(
    pty: Pty, uart: Uart, opened: list[tuple[str, bool]]
) -> None:
    asked: list[tuple[str, bool]] = []
    with rfc2217_server.serving(str(pty.name), asked) as url:
        connection = Port(url, uart).open()
        assert asked == opened
        connection.close()


@pytest.mark.parametrize("scheme", ["rfc2217", "socket"])
def test_a_board_behind_ser2net_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setattr(serial_reset, "BOOT_S", 10.0)
    with (
        fake_board.running("gesture", "int8", BUILD_ID) as terminal,
        ser2net.serving(terminal, tmp_path, scheme) as url,
        UartLog(tmp_path / "uart.log") as log,
    ):
        # A terminal has no control lines that ser2net could set and confirm.
        board = SerialBoard(f"{url}?ign_set_control" if scheme == "rfc2217" else url, STM32F4)
        client = Client(board.connect(), log)
        assert client.hello().build_id == BUILD_ID
        assert len(client.stream(np.full((60, 6), -1, np.int16))) == 7
        board.close()


def test_a_board_behind_a_server_of_rtt_answers_whatever_the_server_says_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serial_reset, "BOOT_S", 10.0)
    banner = b"SEGGER J-Link V8.10 - Real time terminal output\r\nProcess: JLinkGDBServerCLExe\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server, UartLog(tmp_path / "uart.log") as log:
        url = f"rtt://127.0.0.1:{server.getsockname()[1]}"
        bench = device_bench(tmp_path)

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.sendall(banner)
                while data := line.recv(4096):
                    line.sendall(bench.device.feed(data))

        thread = threading.Thread(target=serve)
        thread.start()
        board = SerialBoard(url, STM32F4)
        assert board.link == "rtt"
        client = Client(board.connect(), log)
        client.hello()
        assert client.status().windows == 0
        board.close()
        thread.join()
        assert client.link.events == []


def test_a_server_of_rtt_that_is_not_there_or_goes_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"rtt://127.0.0.1:{server.getsockname()[1]}"
        connection = Port(url, Uart(115_200)).open()
        server.accept()[0].close()
        with pytest.raises(LineError, match=rf"^{url}: the RTT link broke: the other side closed it$"):
            connection.read(5.0)
    with pytest.raises(HilError, match=r"connection refused: have the probe's program serve RTT there \(OpenOCD: "):
        Port(url, Uart(115_200)).open()


def test_a_server_that_does_not_speak_rfc2217_is_told_and_let_go() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"rfc2217://127.0.0.1:{server.getsockname()[1]}?timeout=0.1"
        board = SerialBoard(url, STM32F4)
        with pytest.raises(HilError, match=r"the server does not speak RFC 2217: make it do so, or use socket://"):
            board.connect()
        client, _ = server.accept()
        with client:
            while client.recv(4096):
                pass  # The harness has closed its end.


@pytest.mark.parametrize("pieces", [1, 12])
def test_a_telnet_server_behind_socket_is_told_what_it_is(pieces: int) -> None:
    """It doubles every 0xFF, so HELLO would pass and samples would not."""
    greeting = bytes.fromhex("fffb03 fffd03 fffb01 fffe01")
    with socket.create_server(("127.0.0.1", 0)) as server:
        board = SerialBoard(f"socket://127.0.0.1:{server.getsockname()[1]}", STM32F4)

        def greet(*_arguments: object) -> bytes:
            return arriving.pop(0)

        size = len(greeting) // pieces
        arriving = [greeting[at : at + size] for at in range(0, len(greeting), size)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SocketConnection, "read", greet)
            patch.setattr(serial_reset, "BOOT_S", 10.0)
            with pytest.raises(HilError, match=r"^socket://.*: the server speaks Telnet: use rfc2217://"):
                board.connect()


def test_a_server_that_never_reads_does_not_hold_up_the_harness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "WRITE_TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = Port(f"socket://127.0.0.1:{server.getsockname()[1]}", Uart(115_200)).open()
        with pytest.raises(LineError, match=r"the serial line broke: it took no bytes for 0\.05 s$"):
            connection.write(bytes(100_000_000))
        connection.close()


def test_a_terminal_that_nobody_reads_does_not_hold_up_the_harness(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "WRITE_TIMEOUT_S", 0.05)
    connection = Port(str(pty.name), Uart(115_200)).open()
    with pytest.raises(LineError, match=r"the serial line broke: it took no bytes for 0\.05 s: is the board"):
        connection.write(bytes(1_000_000))
    connection.close()


def test_one_run_at_a_time_has_a_port_of_the_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        first, second = SerialBoard(url, STM32F4), SerialBoard(f"{url}/", STM32F4)
        first.connect()
        with pytest.raises(HilError, match=rf"^{url}/: another run of the harness uses this board: wait until it ends"):
            second.connect()
        first.close()
        second.connect()
        second.close()


def test_a_run_of_another_process_on_a_port_of_the_network_is_told_with_its_command() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        lock = PortLock(url)
        lock.acquire()
        lock.release()
        with (
            port_holder.holding(lock.path, "lock") as process,
            pytest.raises(HilError, match=rf"\(process {process} of \S+\) uses this board: wait until it ends"),
        ):
            lock.acquire()


def test_a_terminal_has_no_control_lines_until_it_has_gone(pty: Pty) -> None:
    connection = SerialConnection(str(pty.name), 115_200, "pty")
    assert not connection.set_line("dtr", True)
    pty.unplug()
    with pytest.raises(LineError):
        connection.set_line("dtr", True)
    connection.close()


def test_a_server_that_closes_at_once_is_a_line_that_breaks() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        connection = Port(f"socket://127.0.0.1:{server.getsockname()[1]}", Uart(115_200)).open()
        server.accept()[0].close()
        with pytest.raises(LineError, match="the serial line broke: the other side closed it"):
            connection.read(5.0)
        connection.close()


@pytest.mark.parametrize("url", ["spy://{}?file=/dev/null", "alt://{}?class=PosixPollSerial", "hwgrep://{}"])
def test_a_device_file_behind_a_url(pty: Pty, usb: list[ListPortInfo], url: str) -> None:
    usb.append(usb_port(pty.name, "066F"))
    port_name.check(url.format(pty.name))
    connection = Port(url.format(pty.name), Uart(115_200)).open()
    os.write(pty.master, b"hello")
    received = b""
    while len(received) < 5:
        received += connection.read(1.0)
    assert received == b"hello"
    connection.close()


def test_a_loop_gives_back_what_is_written() -> None:
    connection = Port("loop://", Uart(115_200)).open()
    connection.write(b"hello")
    assert connection.read(1.0) == b"hello"
    connection.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("hwgrep://[", "hwgrep://[: cannot open it: unterminated character set at position 0"),
        ("hwgrep://nobody", "hwgrep://nobody: cannot open it: no ports found matching regexp 'nobody'"),
        ("alt:///dev/null?class=Nonsense", "alt:///dev/null?class=Nonsense: cannot open it: unknown class: 'Nonsense'"),
        ("spy:///dev/null?colour", "spy:///dev/null?colour: cannot open it: expected a string"),
        ("rfc2217://localhost:1?speed=3", "rfc2217://localhost:1?speed=3: cannot open it: "),
        ("loop://?colour", "loop://?colour: an option after the ? of the URL has a name or a value that pyserial does"),
        ("spy:///dev/null?file=/nowhere/log", "spy:///dev/null?file=/nowhere/log: cannot open /nowhere/log: "),
    ],
)
def test_a_wrong_url_is_one_line(url: str, message: str) -> None:
    port_name.check(url)
    with pytest.raises(HilError) as caught:
        Port(url, Uart(115_200)).open()
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["socket://h:99999", "rfc2217://:1", "socket://[::1:1", "rfc2217://h", "socket://h:0"])
def test_a_url_without_host_or_port_is_refused(url: str) -> None:
    with pytest.raises(HilError, match=r"^board .*: expected (socket|rfc2217)://HOST:PORT$"):
        port_name.check(url)


def test_a_scheme_whose_library_is_missing_is_told_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hid", None)
    with pytest.raises(HilError, match=r"^board cp2110://1: cp2110:// does not work here \(.*\): pip install 'py"):
        port_name.check("cp2110://1")


def test_a_link_to_itself_is_no_port(tmp_path: Path) -> None:
    link = tmp_path / "tty"
    link.symlink_to(link)
    assert port_name.canonical(str(link)) == str(link)
    with pytest.raises(HilError, match=f"^board {link}: there is no way to it: Too many levels of symbolic links; "):
        port_name.check(str(link))


def test_a_rate_that_no_port_has_is_told(pty: Pty) -> None:
    with pytest.raises(HilError, match=f"^{pty.name}: no port has {10**12} baud: correct the rate$"):
        Port(str(pty.name), Uart(10**12)).open()


def test_a_kind_without_a_port_is_refused() -> None:
    with pytest.raises(HilError, match=r"^the board has no port: name one; serial ports here: "):
        port_name.check("")


def test_a_port_that_goes_away_is_waited_for(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    board = SerialBoard(str(pty.name), STM32F4)
    connection = board.connect()
    pty.unplug()
    with pytest.raises(LineError, match="the serial line broke"):
        connection.read(1.0)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None if pty.master >= 0 else pty.plug())
    connection = board.connect()
    os.write(pty.master, b"!")
    assert connection.read(1.0) == b"!"
    board.close()


@pytest.mark.parametrize("serial_number", ["066F", None])
def test_a_usb_port_is_found_under_its_new_name(
    pty: Pty, usb: list[ListPortInfo], tmp_path: Path, serial_number: str | None
) -> None:
    """And the board that has got the old name now is another one."""
    usb.append(usb_port(pty.name, serial_number))
    board = SerialBoard(str(pty.name), STM32F4)
    board.connect()
    pty.unplug()
    other = Pty(pty.name)
    other.plug()
    pty.plug(tmp_path / "ttyACM1")
    moved = "1-1:1.0" if serial_number is None else "2-4:1.0"
    usb[:] = [usb_port(other.name, "other", "1-7:1.0"), usb_port(pty.name, serial_number, moved)]
    connection = board.connect()
    os.write(pty.master, b"!")
    os.write(other.master, b"?")
    assert connection.read(1.0) == b"!"
    board.close()
    other.unplug()


def test_a_port_that_stays_away_costs_its_wait_once(pty: Pty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "RETURN_S", 0.0)
    board = SerialBoard(str(pty.name), STM32F4)
    board.connect()
    pty.unplug()
    monkeypatch.setattr(port, "RETURN_S", 0.0)
    with pytest.raises(HilError, match="there is no such port"):
        board.connect()
    monkeypatch.setattr(port, "RETURN_S", 1e9)
    with pytest.raises(HilError, match="there is no such port"):
        board.connect()
    pty.plug()  # Somebody has connected it again by hand.
    board.connect()
    board.close()


def test_the_lock_of_another_user_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs to become another user: run as root")
    with tempfile.TemporaryDirectory() as shared:
        Path(shared).chmod(0o1777)
        monkeypatch.setattr(lock_file, "_SHARED", Path(shared))
        lock = PortLock("rfc2217://LAB:3000")
        before = os.umask(0o077)
        lock.acquire()
        os.umask(before)
        assert f"(process {os.getpid()} of root) uses this board" in refusal_of_another_user()
        lock.release()
        assert refusal_of_another_user() == ""


def refusal_of_another_user() -> str:
    """What the lock tells a process of the user nobody."""
    reader, writer = os.pipe()
    open_as_root = os.open

    def open_as_protected(path: Path, flags: int, mode: int = 0o777) -> int:
        """What Linux does in a sticky directory where fs.protected_regular is set."""
        if flags & os.O_CREAT and path.exists() and path.stat().st_uid != os.geteuid():
            raise PermissionError(errno.EACCES, "Permission denied")
        return open_as_root(path, flags, mode)

    if not (child := os.fork()):
        try:
            os.open = open_as_protected  # type: ignore[assignment]
            os.setuid(65534)
            PortLock("socket://lab:3000").acquire()
        except BaseException as error:
            os.write(writer, str(error).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        refusal = told.read()
    os.waitpid(child, 0)
    return refusal
