"""Real boards: a process behind a pseudo-terminal, and every way in which a port cannot be had."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import serial
from serial.tools import list_ports
from support import fake_board, port_holder
from support.fake_device import Misbehaviour
from support.targets import STM32F4
from tflm_hil.boards.serial import reset as serial_reset
from tflm_hil.boards.serial.board import SerialBoard
from tflm_hil.boards.serial.port_lock import PortLock
from tflm_hil.device.client import Client
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.models.manifest import load_models
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.recordings.windows import windows

BUILD_ID = bytes(range(20))


@pytest.fixture
def pty() -> Iterator[str]:
    """A terminal behind which nobody is."""
    master, slave = os.openpty()
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


@pytest.fixture(autouse=True)
def _no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", list)
    monkeypatch.setattr(serial_reset, "BOOT_S", 0.0)
    monkeypatch.setattr(serial_reset, "PULSE_S", 0.0)


def test_a_fake_board_answers_like_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_reset, "BOOT_S", 10.0)
    model = load_models(fake_board.ROOT)["gesture"]
    samples = np.random.default_rng(0).integers(-32768, 32768, (60, 6), dtype=np.int16)
    reference = Reference(model.variants["int8"].path)
    raw = windows(samples, model.window, model.stride)
    expected = reference.run(prepare(raw, model.channels, reference.input_quantization))
    with fake_board.running("gesture", "int8", BUILD_ID) as port, UartLog(tmp_path / "uart.log") as log:
        board = SerialBoard(port, STM32F4)
        for _ in range(2):  # Each connection finds a board that has just booted.
            client = Client(board.connect(), log)
            info = client.hello()
            assert (info.build_id, info.window, info.stride) == (BUILD_ID, model.window, model.stride)
            assert client.status().windows == 0
            results = client.stream(samples)
            assert b"".join(result.outputs for result in results) == expected.tobytes()
            assert client.link.events == []
        board.close()


def test_a_fake_board_misbehaves_on_demand(tmp_path: Path) -> None:
    with (
        fake_board.running("gesture", "int8", BUILD_ID, Misbehaviour.PROTOCOL) as port,
        UartLog(tmp_path / "uart.log") as log,
    ):
        board = SerialBoard(port, STM32F4)
        with pytest.raises(DeviceError, match="speaks protocol version 2"):
            Client(board.connect(), log).hello()
        board.close()


def test_a_silent_board_is_left_to_the_handshake(pty: str) -> None:
    board = SerialBoard(pty, STM32F4)
    assert board.connect().read(0) == b""
    board.close()


def test_flashing_says_how_to_do_it_by_hand() -> None:
    image = types.SimpleNamespace(elf=Path("/b/firmware.elf"))
    with pytest.raises(
        HilError,
        match=r"^/dev/ttyACM0: nothing says .*: add \[flash\] to .*/stm32f4.toml, or flash /b/firmware.elf with",
    ):
        SerialBoard("/dev/ttyACM0", STM32F4).flash(image)  # type: ignore[arg-type]


def test_one_run_at_a_time_has_a_board(pty: str, tmp_path: Path) -> None:
    alias = tmp_path / "by-id"
    alias.symlink_to(pty)
    first, second = SerialBoard(pty, STM32F4), SerialBoard(str(alias), STM32F4)
    first.connect()
    first.connect()
    with pytest.raises(HilError, match=r"by-id: the port is busy: .* or another run of the harness"):
        second.connect()
    first.close()
    second.connect()
    second.close()


def test_a_port_that_another_program_holds_is_busy(pty: str) -> None:
    monitor = os.open(pty, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(monitor, fcntl.LOCK_EX)
    board = SerialBoard(pty, STM32F4)
    with pytest.raises(HilError, match=rf"^{pty}: the port is busy: close the program that has it open"):
        board.connect()
    os.close(monitor)
    board.connect()
    board.close()


def test_who_else_has_the_port_of_a_board_in_trouble_is_told(pty: str) -> None:
    board = SerialBoard(pty, STM32F4)
    board.connect()
    assert board.trouble() == ""
    with port_holder.holding(pty) as process:
        assert re.fullmatch(
            rf"python.* \(process {process} of \S+\) has the port open as well, and takes bytes from it: close that",
            board.trouble(),
        )
    board.close()


def test_a_board_that_another_process_uses_is_not_flashed(pty: str) -> None:
    flashed: list[str] = []
    image = types.SimpleNamespace(elf=Path("/b/firmware.elf"))

    class Tool:
        persistent = True

        def flash(self, _image: object, _say: object) -> str:
            flashed.append("flashed")
            return ""

    board = SerialBoard(pty, STM32F4, tool=Tool())  # type: ignore[arg-type]
    with port_holder.holding(pty, "lock"), pytest.raises(HilError, match="the port is busy: python"):
        board.flash(image)  # type: ignore[arg-type]
    assert flashed == []
    board.flash(image)  # type: ignore[arg-type]
    assert flashed == ["flashed"]
    board.close()

    other = PortLock("socket://localhost:9")
    other.acquire()
    board = SerialBoard("socket://localhost:9", STM32F4, tool=Tool())  # type: ignore[arg-type]
    with pytest.raises(HilError, match="another run of the harness uses this board"):
        board.flash(image)  # type: ignore[arg-type]
    other.release()
    board.flash(image)  # type: ignore[arg-type]
    assert flashed == ["flashed", "flashed"]
    board.close()


def test_a_board_that_is_being_flashed_is_left_alone(pty: str) -> None:
    image = types.SimpleNamespace(elf=Path("/b/firmware.elf"))
    other = SerialBoard(pty, STM32F4, tool=None)
    refused: list[str] = []

    class Tool:
        persistent = True

        def flash(self, _image: object, _say: object) -> str:
            for call in (other.connect, lambda: other.flash(image)):  # type: ignore[arg-type]
                with pytest.raises(HilError, match="another run of the harness uses this board") as caught:
                    call()
                refused.append(str(caught.value))
            return ""

        def reset(self) -> bool:
            return False

    board = SerialBoard(pty, STM32F4, tool=Tool())  # type: ignore[arg-type]
    board.flash(image)  # type: ignore[arg-type]
    assert len(refused) == 2
    board.connect()
    with pytest.raises(HilError, match="the port is busy"):
        other.connect()
    board.close()
    other.connect()
    other.close()


def test_what_is_behind_a_pseudo_terminal_is_the_board_itself() -> None:
    with fake_board.running("gesture", "int8", BUILD_ID) as port:
        assert SerialBoard(port, STM32F4).trouble() == ""


def test_a_port_that_another_process_holds_is_told_with_its_command(pty: str) -> None:
    board = SerialBoard(pty, STM32F4)
    with port_holder.holding(pty, "lock") as process, pytest.raises(HilError) as caught:
        board.connect()
    assert re.match(
        rf"{pty}: the port is busy: python[0-9.]* .*\.\.\. \(process {process} of \S+\) has it: end that, ",
        str(caught.value),
    )
    board.connect()
    board.close()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (errno.ENOENT, "/dev/ttyACM7: there is no such port; serial ports here: none"),
        (
            errno.EACCES,
            "/dev/ttyACM7: permission denied: join the group that owns it (`sudo usermod -aG dialout $USER`)",
        ),
        (errno.EBUSY, "/dev/ttyACM7: the port is busy: close the program that has it open"),
        (errno.EIO, "/dev/ttyACM7: cannot open it: [Errno 5] could not open port; serial ports here: none"),
    ],
)
def test_a_port_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, code: int, message: str) -> None:
    class Port(serial.Serial):  # type: ignore[misc]
        def open(self) -> None:
            raise serial.SerialException(code, "could not open port")

    monkeypatch.setattr(serial, "serial_for_url", lambda *_args, **_kwargs: Port())
    with pytest.raises(HilError) as caught:
        SerialBoard("/dev/ttyACM7", STM32F4).connect()
    assert str(caught.value).startswith(message)


def test_what_is_no_port_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name in (str(tmp_path), str(tmp_path / "file"), "/dev/null", f"spy://{tmp_path}/file"):
        with pytest.raises(HilError) as caught:
            SerialBoard(name, STM32F4).connect()
        assert str(caught.value) == f"{name}: it is no serial port; serial ports here: none"


def test_a_network_port_that_cannot_be_had_says_why_and_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, *_arguments: object, **_options: object) -> None:
        asked.append(host)
        raise reasons.get(host, socket.gaierror())

    reasons = {
        "timeout.example": TimeoutError(),
        "refused.example": ConnectionRefusedError(),
        "busy.example": BrokenPipeError(),
        "far.example": OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH)),
    }
    asked: list[str] = []
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for kind in ("socket", "rfc2217"):
        for host, message in (
            ("typo.example", "there is no host of that name: correct it, or give its address"),
            ("refused.example", "connection refused: start the server of the port there, or correct the number"),
            ("busy.example", "the server closes the connection: end what else uses the port, or look at its log"),
            ("far.example", "cannot open it: No route to host"),
            ("timeout.example", "no connection within 5 s: is the host up, and does a firewall let it through?"),
        ):
            name = f"{kind}://{host}:3000"
            board = SerialBoard(name, STM32F4)
            with pytest.raises(HilError, match=f"^{re.escape(f'{name}: {message}')}$"):
                board.connect()
            asked.clear()
            with pytest.raises(HilError, match=rf"{re.escape(message)} \(not tried again\)$"):
                board.connect()
            assert asked == []


def test_a_board_behind_a_socket() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        board = SerialBoard(f"socket://127.0.0.1:{server.getsockname()[1]}", STM32F4)
        connection = board.connect()
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"hello")
            received = b""
            while len(received) < 5:
                received += connection.read(1.0)
            assert received == b"hello"
        board.close()
