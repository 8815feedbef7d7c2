"""How well a serial line is used, and how long it takes from connecting to a board to the first verdict.

usage: python .ci/line_use.py

The board is a process behind a pseudo-terminal that carries bytes at a baud rate and delivers them late both ways, as a
USB bridge does; its inferences run on the host. The line's use is the time that the bytes to the device need at that
rate, by the time that streaming takes. The exit status is 1 if a goal is missed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support import fake_board  # noqa: E402 (its folder is known only now)
from tflm_hil.device.client import Client  # noqa: E402
from tflm_hil.device.connection import SerialConnection  # noqa: E402
from tflm_hil.device.uart_log import UartLog  # noqa: E402
from tflm_hil.engines.aot.engine import AotEngine  # noqa: E402
from tflm_hil.firmware.project import FirmwareProject  # noqa: E402
from tflm_hil.models.manifest import load_models  # noqa: E402
from tflm_hil.targets import load_targets  # noqa: E402

BAUDS = (115_200, 460_800, 921_600)
DELAYS_MS = (0, 1, 16)
SECONDS = 3.0
LEAST_USE = 0.9
MOST_S = 2.0
MODEL, VARIANT, TARGET = "gesture", "int8", "stm32f4"
BITS = 10

# Tells when the board was connected first, and when the first test had its verdict.
CLOCK = """
import time
import pytest
from tflm_hil.boards.board import Board

connected, connect = [], Board.connect

def noted(board):
    connected.append(time.monotonic())
    return connect(board)

Board.connect = noted

def pytest_runtest_logreport(report):
    if report.when == "call":
        print(f"FIRST VERDICT {report.outcome} {time.monotonic() - connected[0]:.3f}")
"""


def use(baud: int, delay_s: float, log: Path) -> float:
    """The share of the time in which the line to the device is busy."""
    rows = np.random.default_rng(0).integers(-32768, 32768, (int(baud / BITS * SECONDS / 12), 6), dtype=np.int16)
    with fake_board.running(MODEL, VARIANT, bytes(20), rate=baud / BITS, delay=delay_s) as port, UartLog(log) as uart:
        connection = SerialConnection(port, baud, port)
        client = Client(connection, uart)
        client.hello()
        before, started = client.link.bytes_sent, time.monotonic()
        client.stream(rows)
        seconds, sent = time.monotonic() - started, client.link.bytes_sent - before
        connection.close()
    return sent * BITS / baud / seconds


def first_verdict(folder: Path) -> float:
    """Seconds from connecting to a board that runs the build already, behind a line of its target's rate."""
    target = load_targets(ROOT / "targets")[TARGET]
    image = FirmwareProject(ROOT / ".hil").build(load_models(ROOT)[MODEL], VARIANT, AotEngine(), target)
    (folder / "clock.py").write_text(CLOCK)
    with fake_board.running(MODEL, VARIANT, image.build_id, rate=target.uart.baud / BITS, delay=0.001) as port:
        arguments = [
            "-p",
            "clock",
            "-p",
            "no:cacheprovider",
            f"--board={port}",
            f"--model={MODEL}",
            f"--hil-report={folder}",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-s", "-k", f"predictions and {VARIANT} and punch", *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
    verdict = [line.partition("FIRST VERDICT ")[2] for line in done.stdout.splitlines() if "FIRST VERDICT" in line]
    if not verdict or not verdict[0].startswith("passed"):
        sys.exit(done.stdout)
    return float(verdict[0].split()[1])


def main() -> int:
    """Measure, and say what came out."""
    with tempfile.TemporaryDirectory() as name:
        uses = {(baud, ms): use(baud, ms / 1000, Path(name) / "log") for baud in BAUDS for ms in DELAYS_MS}
        seconds = first_verdict(Path(name))
    print(f"use of a paced line (goal: at least {LEAST_USE})")
    print(f"{'baud':>10}" + "".join(f"{ms:>7} ms" for ms in DELAYS_MS))
    for baud in BAUDS:
        print(f"{baud:>10,}" + "".join(f"{uses[baud, ms]:>10.2f}" for ms in DELAYS_MS))
    print(f"from connecting to the first verdict, 60 windows: {seconds:.2f} s (goal: below {MOST_S:g} s)")
    return int(min(uses.values()) < LEAST_USE or seconds >= MOST_S)


if __name__ == "__main__":
    sys.exit(main())
