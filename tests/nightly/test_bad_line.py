"""A hundred thousand windows over the emulated UART, with damaged bytes and resets: none is lost, doubled or wrong."""

from __future__ import annotations

import random
import time
from pathlib import Path

import numpy as np
import pytest
from support.bad_line import Damage
from support.needs import needs_emulator
from support.targets import STM32F4
from tflm_hil.boards.qemu.board import QemuBoard
from tflm_hil.boards.spec import UART
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import DeviceInfo
from tflm_hil.device.uart_log import UartLog
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.dut import DeviceUnderTest
from tflm_hil.lab.losses import Streak
from tflm_hil.lab.measurement import together
from tflm_hil.models.manifest import load_models
from tflm_hil.models.reference import Reference
from tflm_hil.recordings import Recording

ROOT = Path(__file__).parents[2]
WINDOWS = 100_000
ROWS = 525  # 100 windows
FAULTS = 1e-3
BYTES_BETWEEN_RESETS = 200_000

pytestmark = [pytest.mark.nightly, needs_emulator]


class BadLine:
    """A line to `board` that damages bytes both ways; and the board is reset now and then."""

    def __init__(self, board: QemuBoard, dice: random.Random) -> None:
        self.resets = 0
        self._board = board
        self._dice = dice
        self._to, self._from = Damage(FAULTS, dice.getrandbits(32)), Damage(FAULTS, dice.getrandbits(32))
        self._until_reset = dice.randrange(BYTES_BETWEEN_RESETS)
        self._line: Connection | None = None

    def connect(self) -> Connection:
        self._line = self._board.connect()
        return self

    def read(self, timeout: float) -> bytes:
        assert self._line is not None
        return self._from(self._line.read(timeout))

    def write(self, data: bytes) -> None:
        assert self._line is not None
        self._line.write(self._to(data))
        self._until_reset -= len(data)
        if self._until_reset < 0:
            self._until_reset = self._dice.randrange(BYTES_BETWEEN_RESETS)
            self.resets += 1
            assert self._board.machine.process is not None
            self._board.machine.process.execute("system_reset")

    def close(self) -> None:
        pass


def test_a_hundred_thousand_windows(tmp_path: Path) -> None:
    model = load_models(ROOT)["gesture"]
    image = FirmwareProject(ROOT / ".hil").build(model, "int8", AotEngine(), STM32F4)
    firmware = Firmware(model, model.variants["int8"], "aot", "stm32f4", image)
    count = WINDOWS * model.stride // (ROWS - model.window + model.stride)
    samples = np.random.default_rng(0).integers(-32768, 32768, (count, ROWS, len(model.channels)), dtype=np.int16)
    recordings = [Recording(f"noise/{i}", tmp_path, None, samples[i], None, model.sample_rate_hz) for i in range(count)]
    board = QemuBoard("emulated", tmp_path, UART)
    board.flash(image)
    line, started = BadLine(board, random.Random(0)), time.monotonic()
    with UartLog(tmp_path / "uart.log") as log:

        def connect() -> tuple[Client, DeviceInfo]:
            client = Client(line.connect(), log, name="emulated")
            return client, client.hello()

        device = DeviceUnderTest(firmware, board, connect, Streak())
        measurements = [device.stream(recordings, go_on=True)]
        while lost := {loss.name for loss in measurements[-1].lost}:
            measurements.append(device.stream([each for each in recordings if each.name in lost], go_on=True))
    board.close()
    whole, seconds = together(measurements), time.monotonic() - started
    print(f"{WINDOWS / seconds:.1f} windows/s, {line.resets} resets, {whole.traffic.retried:,} requests sent again")
    assert sorted(answers.recording.name for answers in whole.answers) == sorted(each.name for each in recordings)
    assert len(whole.invoke) == WINDOWS
    parity = whole.parity(Reference(firmware.variant.path))
    assert (parity.windows, parity.mismatches, parity.bit_exact) == (WINDOWS, (), True)
    assert line.resets > 50
    assert whole.traffic.retried > 10_000
    assert WINDOWS / seconds >= 30
