"""The rings in the memory of an emulated chip, served by a real tool: OpenOCD, through a simulated probe."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support import simulated_probe
from support.emulated_image import SPIN, build, run
from support.needs import needs_emulator
from support.targets import TARGETS
from tflm_hil import processes
from tflm_hil.boards.serial.board import SerialBoard
from tflm_hil.device.client import Client
from tflm_hil.device.uart_log import UartLog
from tflm_hil.firmware.image import FirmwareImage

NRF51 = TARGETS["nrf51"]

pytestmark = [needs_emulator, pytest.mark.skipif(shutil.which("openocd") is None, reason="needs openocd")]


@pytest.fixture(scope="module")
def image() -> FirmwareImage:
    return build(NRF51)


@pytest.fixture
def server(image: FirmwareImage, tmp_path: Path) -> Iterator[str]:
    """The address at which OpenOCD serves the rings, as docs/boards.md says, of a chip that runs `image`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (block,) = [symbol for symbol in image.symbols if symbol.name == "_SEGGER_RTT"]
    with simulated_probe.running(image.elf) as probe:
        (tmp_path / "probe.cfg").write_text(f"set PROBE {probe.openocd}\n")
        commands = [
            "gdb_port disabled; telnet_port disabled; tcl_port disabled; init",
            "reset run",
            f'rtt setup 0x{block.address:08x} {block.size} "SEGGER RTT"; rtt polling_interval 1',
            # The chip needs a moment to boot.
            "while {[catch {rtt start}] || [catch {rtt channels}]} {sleep 10}",
            f"rtt server start {port} 0",
        ]
        files = [str(tmp_path / "probe.cfg"), str(simulated_probe.CONFIG)]
        argv = [
            *(word for file in files for word in ("-f", file)),
            *(word for line in commands for word in ("-c", line)),
        ]
        with subprocess.Popen(
            ["openocd", *argv], stderr=subprocess.PIPE, text=True, preexec_fn=processes.die_with_parent()
        ) as openocd:
            assert openocd.stderr is not None
            try:
                said = []
                while "for rtt connections" not in (line := openocd.stderr.readline()):
                    said.append(line)
                    assert openocd.poll() is None, said
                threading.Thread(target=openocd.stderr.read, daemon=True).start()
                yield f"rtt://127.0.0.1:{port}"
            finally:
                openocd.kill()


def test_openocd_serves_the_rings_of_our_firmware(server: str, image: FirmwareImage, tmp_path: Path) -> None:
    board = SerialBoard(server, NRF51)
    with UartLog(tmp_path / "uart.log") as log:
        for _ in range(2):
            client = Client(board.connect(), log)
            assert client.hello().build_id == image.build_id
            amounts = list(range(1, 60))
            results = run(client, *((SPIN, amount) for amount in amounts))
            assert [int(np.frombuffer(result.outputs, "<f4")[1]) for result in results] == amounts
            client.reset()
            client.hello()
            assert client.status().windows == 0
    board.close()
