"""The client with the real firmware on the emulated board, over lines good and bad."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.lossy_connection import LossyConnection, at_random
from support.targets import STM32F4
from tflm_hil.boards.qemu import board as qemu
from tflm_hil.boards.qemu.board import QemuBoard
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.identity import check_identity
from tflm_hil.device.messages import FaultKind
from tflm_hil.device.uart_log import UartLog
from tflm_hil.engines.aot.engine import AotEngine
from tflm_hil.errors import DeviceError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import Model, load_models

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    shutil.which(qemu.QEMU) is None or shutil.which("arm-none-eabi-gcc") is None,
    reason="needs qemu-system-arm and gcc-arm-none-eabi",
)


@pytest.fixture(scope="module")
def model() -> Model:
    return load_models(ROOT)["gesture"]


@pytest.fixture(scope="module")
def image(model: Model) -> FirmwareImage:
    return FirmwareProject(ROOT / ".hil").build(model, "int8", AotEngine(), STM32F4)


@pytest.fixture(scope="module")
def board(image: FirmwareImage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QemuBoard]:
    board = QemuBoard("emulated", tmp_path_factory.mktemp("board"))
    board.flash(image)
    yield board
    board.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[UartLog]:
    with UartLog(tmp_path / "uart.log") as log:
        yield log


def client(connection: Connection, log: UartLog, timeout: float = 2.0, retries: int = 5) -> Client:
    client = Client(connection, log, timeout, retries)
    client.hello()
    return client


def test_the_image_that_runs_is_the_one_that_was_built(
    board: QemuBoard, log: UartLog, image: FirmwareImage, model: Model
) -> None:
    info = Client(board.connect(), log).hello()
    check_identity(info, image.build_id, hashlib.sha256(model.variants["int8"].path.read_bytes()).digest())
    assert (info.window, info.stride, info.channels) == (model.window, model.stride, len(model.channels))
    assert "BOOT" in log.path.read_text()


@pytest.mark.parametrize(("seed", "rate"), [(1, 0.02), (2, 0.1)])
def test_every_window_is_counted_exactly_once_over_a_bad_line(
    board: QemuBoard, log: UartLog, seed: int, rate: float
) -> None:
    samples = np.random.default_rng(seed).integers(-32768, 32768, (1000, 6), dtype=np.int16)
    good = client(board.connect(), log)
    expected = good.stream(samples)
    assert good.link.events == []
    line = LossyConnection(board.connect(), at_random(seed, rate))
    bad = client(line, log, timeout=0.2, retries=20)
    results = bad.stream(samples)
    assert [(result.index, result.outputs) for result in results] == [(w.index, w.outputs) for w in expected]
    assert bad.status().windows == len(expected)
    assert line.injected
    assert bad.link.retried


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        (FaultKind.UNDEFINED, r"usage fault: executed an undefined instruction \(UNDEFINSTR\); PC 0x0800"),
        (FaultKind.BUS_ERROR, r"bus fault: .* \(PRECISERR\) at address 0x[0-9a-f]{8}; PC 0x0800"),
    ],
)
def test_a_crash_is_told_with_its_cause_and_place(board: QemuBoard, log: UartLog, kind: FaultKind, cause: str) -> None:
    device = client(board.connect(), log)
    device.fault(kind)
    with pytest.raises(DeviceError, match=rf"^the device crashed: {cause}") as caught:
        device.status()
    assert any("FAULT" in line for line in caught.value.log_tail)


def test_a_hang_is_told_and_the_next_connection_finds_a_living_device(board: QemuBoard, log: UartLog) -> None:
    device = client(board.connect(), log, timeout=0.2, retries=1)
    device.fault(FaultKind.HANG)
    with pytest.raises(DeviceError, match=r"^the device is silent: no answer to request #2 STATUS, sent \d+ times in"):
        device.status()
    assert client(board.connect(), log).status().windows == 0


def test_a_reset_forgets_everything(board: QemuBoard, log: UartLog) -> None:
    device = client(board.connect(), log)
    device.stream(np.zeros((30, 6), np.int16))
    assert device.status().windows == 1
    device.reset()
    device.hello()
    assert device.status().windows == 0


def test_raw_bytes_come_back_and_the_session_goes_on(board: QemuBoard, log: UartLog) -> None:
    device, data = client(board.connect(), log), bytes(range(256)) * 20
    assert device.echo(data) == data
    assert len(device.stream(np.zeros((35, 6), np.int16))) == 2


def test_a_release_build_refuses_to_show_tensors(board: QemuBoard, log: UartLog) -> None:
    device = client(board.connect(), log)
    with pytest.raises(DeviceError, match=r"refused request #1 TENSOR: not available in this build"):
        device.tensor(0)
    assert device.status().windows == 0
