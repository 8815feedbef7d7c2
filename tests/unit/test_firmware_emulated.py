"""The real image on the emulated board: counting, resets, and how it dies."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from device_helpers import recording
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from firmware_helpers import MODEL_SHA256, ROOT, graph, model

from harness.boards.qemu import QEMU, QemuBoard
from harness.boards.targets import find_target
from harness.device.client import Client
from harness.device.connection import Connection
from harness.device.messages import Counter, FaultKind, WindowResult
from harness.device.uart_log import UartLog
from harness.errors import DeviceError, HilError
from harness.firmware import platformio, toolchain
from harness.firmware.image import FirmwareImage, read_image
from harness.firmware.model_config import write_model_config
from harness.models.manifest import Channel
from harness.models.tflite_file import TensorType

TARGET = find_target("stm32f4")
STACK_BYTES = 4096

# A network of two inputs: what to do, and how much of it.
SPIN, RECURSE = 0, 1
NETWORK = """
#include "aot_model.h"

static float in[2];
static float out[2];

static float recurse(volatile float *deeper) {
    volatile float here[8];
    here[0] = *deeper + 1.0f;
    return here[0] > 1e9f ? 0.0f : recurse(here) + here[0];
}

static void run(void) {
    if (in[0] == 1.0f) {
        out[0] = recurse(in);
    }
    uint32_t left = (uint32_t)in[1] * 1000u + 1u;
    __asm volatile("1: subs %0, #1 \\n bne 1b" : "+r"(left) : : "cc");
    out[1] = in[1];
}

static const engine_tensor_t inputs[] = {{ENGINE_FLOAT32, 2, {1, 2}, 0.0f, 0, in, sizeof in}};
static const engine_tensor_t outputs[] = {{ENGINE_FLOAT32, 2, {1, 2}, 0.0f, 0, out, sizeof out}};
const aot_model_t aot_model = {inputs, outputs, 1, 1, sizeof in + sizeof out, run, 0, 0};
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> FirmwareImage:
    """The firmware around that network."""
    try:
        toolchain.versions()
    except HilError as error:
        pytest.skip(str(error))
    if shutil.which(QEMU) is None:
        pytest.skip(f"no {QEMU} on PATH")
    place = tmp_path_factory.mktemp("emulated")
    generated = place / "generated"
    raw = [Channel(name, "raw", 1.0, 0.0, 1.0) for name in ("what", "amount")]
    write_model_config(model(place, 1, 1, raw), MODEL_SHA256, graph(2, 2, TensorType.FLOAT32), generated)
    (generated / "aot_model.c").write_text(NETWORK)
    platformio.run(ROOT, "stm32f4_aot", place, place / "build", generated, place / "log")
    return read_image(place / "build" / "stm32f4_aot" / "program.elf", "stm32f4", 0, generated)


@pytest.fixture
def board(image: FirmwareImage, tmp_path: Path) -> Iterator[QemuBoard]:
    board = QemuBoard(tmp_path)
    board.flash(image)
    yield board
    board.close()


@pytest.fixture
def connection(board: QemuBoard) -> Iterator[Connection]:
    connection = board.connect()
    yield connection
    connection.close()


@pytest.fixture
def client(connection: Connection, tmp_path: Path) -> Client:
    client = Client(connection, UartLog(tmp_path / "uart.log"), timeout=2.0, retries=2)
    client.hello()
    return client


def run(client: Client, *commands: tuple[int, int]) -> list[WindowResult]:
    return client.stream(np.array(commands, np.int16))


def address_range(image: FirmwareImage, function: str) -> range:
    with image.elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        (symbol,) = table.get_symbol_by_name(function) or []
        start = symbol["st_value"] & ~1  # bit 0 says that it is Thumb code
        return range(start, start + symbol["st_size"])


def crash(client: Client) -> str:
    with pytest.raises(DeviceError) as caught:
        client.status()
    return str(caught.value)


def test_the_image_says_who_it_is_and_what_it_counts_with(image: FirmwareImage, client: Client) -> None:
    info = client.hello()
    assert info.build_id == image.build_id
    assert info.target == "stm32f4"
    assert info.counter == Counter.SYSTICK, "the cycle counter stands still in QEMU"
    assert info.clock_hz == 16_000_000, "without a PLL the internal oscillator is left in charge"
    assert 0 < TARGET.emulation.instructions(info.overhead_ticks) < 30
    status = client.status()
    assert (status.windows, status.bad_frames, status.overruns) == (0, 0, 0)
    assert 100 < status.stack_peak < status.stack_size == STACK_BYTES


def test_instructions_are_exact_also_beyond_the_wraps_of_the_counter(board: QemuBoard, client: Client) -> None:
    info = client.hello()
    amounts = [1, 2, 100, 500, 1000, 2000, 4000, 16000]
    results = run(client, *((SPIN, amount) for amount in amounts))
    counts = [board.counts(info, result.invoke_ticks) for result in results]
    for amount, count, result in zip(amounts, counts, results, strict=True):
        # A wrap costs its handler's few instructions, which are counted with the rest.
        wraps = result.invoke_ticks >> 24
        assert 0 <= count - counts[0] - 2 * 1000 * (amount - 1) <= 20 * wraps
    assert results[-1].invoke_ticks >> 24 > 10


def test_counts_do_not_depend_on_what_arrives_meanwhile(client: Client) -> None:
    commands = [(SPIN, 50)] * 40
    together = [(result.prepare_ticks, result.invoke_ticks) for result in run(client, *commands)]
    apart = [(r.prepare_ticks, r.invoke_ticks) for command in commands[:5] for r in run(client, command)]
    assert set(together) == set(apart)
    assert len(set(together)) == 1


def test_echo_returns_every_byte(client: Client) -> None:
    data = bytes(range(256)) * 8
    assert client.echo(data) == data


def test_a_reset_begins_from_the_start(client: Client) -> None:
    run(client, (SPIN, 1))
    assert client.status().windows == 1
    client.reset()
    client.hello()
    assert client.status().windows == 0


@pytest.mark.parametrize(
    ("kind", "name", "detail"),
    [(FaultKind.UNDEFINED, "usage fault", "undefined instruction"), (FaultKind.BUS_ERROR, "bus fault", "0x3ffffff0")],
)
def test_a_fault_reports_where_it_happened(
    client: Client, image: FirmwareImage, kind: FaultKind, name: str, detail: str
) -> None:
    client.fault(kind)
    said = crash(client)
    assert name in said
    assert detail in said
    pc = int(re.findall(r"pc[ =](0x[0-9a-f]+)", said, re.IGNORECASE)[0], 16)
    assert pc in address_range(image, "board_crash")


def test_a_stack_overflow_is_a_fault_and_reports_itself(client: Client) -> None:
    with pytest.raises(DeviceError, match=r"crashed: .*fault"):
        run(client, (RECURSE, 0))


def test_a_device_that_hangs_is_silent(connection: Connection, tmp_path: Path) -> None:
    client = Client(connection, UartLog(tmp_path / "uart.log"), timeout=0.3, retries=1)
    client.hello()
    client.fault(FaultKind.HANG)
    assert "silent" in crash(client)


def test_a_recording_longer_than_all_buffers_is_answered(client: Client) -> None:
    samples = np.abs(recording(2000, 2)) % 3
    samples[:, 0] = SPIN
    assert [int(np.frombuffer(r.outputs, "<f4")[1]) for r in client.stream(samples)] == samples[:, 1].tolist()
    assert client.status().overruns == 0
