"""The real image on the emulated board: counting, resets, and how it dies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.device_helpers import recording
from support.emulated_image import (
    CALL_NULL,
    DIVIDE_BY_ZERO,
    LOAD_MISALIGNED,
    RECURSE,
    SPIN,
    address_range,
    build,
    crash,
    line_of,
    run,
)
from support.targets import STM32F4
from tflm_hil.boards.qemu.board import QemuBoard, rates
from tflm_hil.device.client import Client
from tflm_hil.device.connection import Connection
from tflm_hil.device.device_info import Counter
from tflm_hil.device.messages import FaultKind
from tflm_hil.device.uart_log import UartLog
from tflm_hil.errors import DeviceError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.line_table import reached

STACK_BYTES = 4096


@pytest.fixture(scope="module")
def image() -> FirmwareImage:
    return build(STM32F4)


@pytest.fixture
def board(image: FirmwareImage, tmp_path: Path) -> Iterator[QemuBoard]:
    board = QemuBoard("emulated", tmp_path)
    board.flash(image)
    yield board
    board.close()


@pytest.fixture
def connection(board: QemuBoard) -> Iterator[Connection]:
    connection = board.connect()
    yield connection
    connection.close()


@pytest.fixture
def client(connection: Connection, image: FirmwareImage, tmp_path: Path) -> Client:
    client = Client(connection, UartLog(tmp_path / "uart.log"), timeout=2.0, retries=2)
    client.runs(image.elf)
    client.hello()
    return client


def test_the_image_says_who_it_is_and_what_it_counts_with(image: FirmwareImage, client: Client) -> None:
    info = client.hello()
    assert info.build_id == image.build_id
    assert info.target == "stm32f4"
    assert info.counter == Counter.SYSTICK, "the cycle counter stands still in QEMU"
    assert info.clock_hz == 16_000_000, "without a PLL the internal oscillator is left in charge"
    assert 0 < info.overhead_ticks / rates(STM32F4)[info.counter] < 60
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


CALLERS = (
    "called from follow_up (server.c:N) inlined in execute (server.c:N), accept (server.c:N) inlined in hil_receive"
)


@pytest.mark.parametrize(
    ("kind", "where", "cause"),
    [
        (FaultKind.UNDEFINED, "usage fault in board_crash (system.c:N)", "executed an undefined instruction"),
        (
            FaultKind.BUS_ERROR,
            "bus fault in board_crash (system.c:N)",
            "read or wrote an unmapped address (PRECISERR) at",
        ),
    ],
)
def test_a_fault_is_told_with_function_line_cause_and_callers(
    client: Client, image: FirmwareImage, kind: FaultKind, where: str, cause: str
) -> None:
    client.fault(kind)
    error = crash(client)
    said = re.sub(r":\d+\)", ":N)", str(error))
    assert said.startswith(f"the device crashed: {where}, {CALLERS} (server.c:N)")
    assert f"link_poll (link.c:N), ...: {cause}" in said
    pc = int(re.findall(r"PC (0x[0-9a-f]+)", said)[0], 16)
    assert pc in address_range(image, "board_crash")
    assert re.search(
        r"#0  0x[0-9a-f]{8} in board_crash \(firmware/lib/board/cortexm/system.c:\d+\)$", error.log_tail[-6]
    )
    assert "startup_reset (firmware/lib/board/cortexm/startup.c:" in error.log_tail[-1]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (CALL_NULL, ["usage fault in 0x00000000, called from run (aot_model.c:{nothing.function()}), ", "(INVSTATE)"]),
        (
            DIVIDE_BY_ZERO,
            [
                "usage fault in quotient (aot_model.c:{1000 / nothing})",
                " inlined in run (aot_model.c:{(float)quotient()}), ",
                "divided by zero (DIVBYZERO)",
            ],
        ),
        (LOAD_MISALIGNED, ["usage fault in run (aot_model.c:{ldm %0!}), ", "made an unaligned access (UNALIGNED)"]),
    ],
)
def test_a_broken_network_is_told_with_its_line(client: Client, command: int, told: list[str]) -> None:
    with pytest.raises(DeviceError) as caught:
        run(client, (command, 0))
    for part in told:
        assert re.sub(r"\{(.*?)\}", lambda code: str(line_of(code[1])), part) in str(caught.value)
    assert " engine_invoke (engine_aot.c:" in str(caught.value)


def test_a_stack_overflow_is_a_fault_and_the_recursion_is_found_on_the_stack(client: Client) -> None:
    with pytest.raises(
        DeviceError, match=r"crashed: .*fault perhaps called from recurse \(aot_model.c:\d+\) \d+ times"
    ):
        run(client, (RECURSE, 0))


def test_a_device_that_hangs_is_silent(connection: Connection, tmp_path: Path) -> None:
    client = Client(connection, UartLog(tmp_path / "uart.log"), timeout=0.3, retries=1)
    client.hello()
    client.fault(FaultKind.HANG)
    assert "silent" in str(crash(client))


def test_a_recording_longer_than_all_buffers_is_answered(client: Client) -> None:
    samples = np.abs(recording(2000, 2)) % 3
    samples[:, 0] = SPIN
    assert [int(np.frombuffer(r.outputs, "<f4")[1]) for r in client.stream(samples)] == samples[:, 1].tolist()
    assert client.status().overruns == 0


def test_the_lines_that_were_reached_are_told(image: FirmwareImage, tmp_path: Path) -> None:
    board = QemuBoard("emulated", tmp_path)
    board.execution.record(tmp_path)
    board.flash(image)
    for _ in range(2):  # What a second boot of the same machine executes has been translated before.
        client = Client(board.connect(), UartLog(tmp_path / "uart.log"))
        client.hello()
        run(client, (SPIN, 1))
    board.close()
    (lines,) = (reached(elf, executed) for elf, executed in board.execution.executed().items())
    (network,) = (of_file for file, of_file in lines.items() if file.endswith("aot_model.c"))
    assert network[line_of("out[1] = in[1]")]
    assert not network[line_of("out[0] = recurse(in)")]
    assert not network[line_of("here[0] = *deeper")]
    assert not board.execution.executed()
