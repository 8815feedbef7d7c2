"""A board at a place: labgrid's coordinator and exporter, and the ser2net that it starts, with a fake board behind."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support import fake_board, ser2net
from support.lab import ME, NETWORK_PORT, Exporter, Lab
from support.targets import STM32F4
from tflm_hil.boards.board import Board
from tflm_hil.boards.labgrid import line
from tflm_hil.boards.labgrid.board import LabgridKind
from tflm_hil.boards.labgrid.keeper import Keeper
from tflm_hil.boards.labgrid.keeper_process import Acquired, Question
from tflm_hil.boards.labgrid.place import SerialServer
from tflm_hil.boards.labgrid.request import parse as parse_request
from tflm_hil.boards.spec import parse
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import HilError, LineError
from tflm_hil.progress import silent

BUILD_ID = bytes(range(20))
RESOURCES = "desk:\n  console:\n    cls: RawSerialPort\n    port: {}\n"
DESK = parse("labgrid:desk?wait=9", ["labgrid"])


@pytest.fixture(scope="module")
def terminal() -> Iterator[str]:
    """The device file of a board."""
    with fake_board.running("gesture", "int8", BUILD_ID) as terminal:
        yield terminal


@pytest.fixture
def exporter(lab: Lab, terminal: str) -> Exporter:
    """It has the board of place `desk`, and starts a ser2net."""
    if ser2net.PROGRAM is None:
        pytest.skip("ser2net is not installed: apt-get install ser2net")
    lab.add_place("desk")
    return lab.export("bench", RESOURCES.format(terminal))


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(HilError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def read_to_the_end(connection: Connection) -> None:
    while connection.read(1.0):
        pass


def children() -> set[str]:
    """The processes of this one."""
    lists = Path("/proc/self/task").glob("*/children")
    return {pid for file in lists for pid in file.read_text().split()}


def check_answers(board: Board, log: Path) -> None:
    """Each connection finds a board that has just booted."""
    with UartLog(log) as uart_log:
        client = Client(board.connect(), uart_log)
        assert client.hello().build_id == BUILD_ID
        assert client.status().windows == 0
        assert len(client.stream(np.full((60, 6), -1, np.int16))) == 7  # 0xFF, which Telnet doubles
        assert client.link.events == []


@pytest.mark.nightly  # waits for an exporter that comes back
def test_a_board_answers_through_ser2net_and_its_exporter_may_leave_and_return(
    lab: Lab, exporter: Exporter, terminal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "RETURN_S", 0.3)
    kind, log = LabgridKind(), tmp_path / "uart.log"
    kind.check(DESK, [STM32F4])
    board = kind.open(DESK, [STM32F4], tmp_path, silent)
    assert (board.name, board.trouble(), lab.holder("desk")) == ("labgrid:desk", "", ME)
    check_answers(board, log)
    check_answers(board, log)
    connection = board.connect()

    lab.stop_exporter(exporter, "bench")
    broken = r"^labgrid:desk: the serial line broke: .* \(the exporter of place desk has gone: start it again\)$"
    with pytest.raises(LineError, match=broken):
        read_to_the_end(connection)
    assert refusal(board.connect) == "board labgrid:desk: the exporter of place desk has gone: start it again"
    assert lab.holder("desk") is None  # A board that cannot be connected to is closed.

    lab.export("bench", RESOURCES.format(terminal))
    check_answers(board, log)
    board.close()
    assert lab.holder("desk") is None


@pytest.mark.usefixtures("desk")
def test_a_run_that_is_killed_leaves_its_place_free(lab: Lab) -> None:
    """What is left of it is the process that keeps the place, whose input ends."""
    keeper = Keeper()
    assert keeper.ask(Question("acquire", parse_request(DESK)), Acquired).place == "desk"
    keeper._process.stdin.close()  # type: ignore[union-attr]
    lab.wait(lambda: lab.holder("desk") is None)
    keeper.close()


def test_an_interrupt_while_it_waits_for_its_exporter_releases_the_place(lab: Lab) -> None:
    lab.add_place("desk")
    exporter = lab.export("bench", "desk:" + NETWORK_PORT)
    place = line.PlaceLine(parse_request(DESK), STM32F4.uart)
    place.acquire(silent)
    assert place.url == "rfc2217://127.0.0.1:7?ign_set_control&timeout=3"
    lab.stop_exporter(exporter, "bench")
    lab.wait(lambda: place.trouble() != "")

    def interrupt(text: str) -> None:
        assert "the exporter of place desk has gone" in text
        signal.raise_signal(signal.SIGINT)

    assert place._keeper is not None
    with pytest.raises(KeyboardInterrupt):
        place._keeper.ask(Question("serial_port", seconds=60.0), SerialServer, interrupt)
    place.release()
    assert lab.holder("desk") is None


@pytest.mark.usefixtures("desk")
def test_an_interrupt_while_it_waits_leaves_no_process(lab: Lab) -> None:
    lab.person("home/alice")("AcquirePlace", placename="desk")
    place = line.PlaceLine(parse_request(DESK), STM32F4.uart)

    def interrupt(text: str) -> None:
        assert text.startswith("waiting 9 s for place desk: desk: home/alice has it since")
        signal.raise_signal(signal.SIGINT)

    before = children()
    with pytest.raises(KeyboardInterrupt):
        place.acquire(interrupt)
    assert children() == before
    assert lab.holder("desk") == "home/alice"
