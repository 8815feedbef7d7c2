"""Receive interrupts during a measurement: on hardware they stay on, and what they take is taken out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.emulated_image import SPIN, build, count_at, run
from support.targets import STM32F4
from tflm_hil.boards.counters import InstructionCounter
from tflm_hil.boards.qemu.board import QemuBoard
from tflm_hil.boards.spec import UART
from tflm_hil.device.client import Client
from tflm_hil.device.device_info import Counter
from tflm_hil.device.uart_log import UartLog
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.targets.target import read_target

# QEMU has no cycle counter, but TIM2 of its STM32F405 counts nanoseconds, and with -icount shift=0 an instruction takes
# one: a counter that counts as the DWT of a core without wait states does. Its registers take the place of the DWT's.
DWT_OF_TIM2 = """
#include "cortexm/cortexm.h"

#undef DWT_LAR
#undef DWT_CTRL
#undef DWT_CYCCNT
#define DWT_LAR REGISTER(0x40000034u)    /* TIM2_CCR1, which nobody uses */
#define DWT_CTRL REGISTER(0x40000000u)   /* TIM2_CR1: its lowest bit, too, turns the counter on */
#define DWT_CYCCNT REGISTER(0x40000024u) /* TIM2_CNT */

#include "cortexm_counter/counter.c"
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> FirmwareImage:
    targets = tmp_path_factory.mktemp("targets")
    (targets / "dwt_of_tim2").mkdir()
    (targets / "dwt_of_tim2" / "counter.c").write_text(DWT_OF_TIM2)
    file = targets / "stm32f4_with_dwt.toml"
    file.write_text(STM32F4.file.read_text().replace('"cortexm_counter"', '"dwt_of_tim2"'))
    return build(read_target(file), ImageKind.PROFILE)


@pytest.fixture
def client(image: FirmwareImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    count_at(0, monkeypatch)
    board = QemuBoard("emulated", tmp_path, UART)
    board.flash(image)
    yield Client(board.connect(), UartLog(tmp_path / "uart.log"))
    board.close()


def test_interrupts_change_no_count_and_are_told(client: Client) -> None:
    info = client.hello()
    counter = InstructionCounter("emulated", lambda: {Counter.DWT: 1.0})
    assert info.counter == Counter.DWT
    counter.check(info)
    undisturbed = [counter.counts(info, run(client, (SPIN, amount))[0].invoke_ticks) for amount in (100, 1000)]
    assert undisturbed[1] - undisturbed[0] == 900 * 2000
    # While the first windows are computed, the requests for the others arrive.
    results = run(client, *[(SPIN, 1000)] * 100)
    assert client.status().interrupts > 0
    assert {counter.counts(info, result.invoke_ticks) for result in results} == {undisturbed[1]}


def test_interrupts_change_no_step(client: Client) -> None:
    client.hello()

    def step(amount: int, *others: tuple[int, int]) -> int:
        client.profile()
        run(client, (SPIN, amount), *others)
        steps = client.steps()
        (ticks,) = steps.ticks
        return ticks - steps.mark_ticks

    undisturbed = [step(amount) for amount in (1000, 30_000)]
    assert undisturbed[1] - undisturbed[0] == 29_000 * 2000
    before = client.status().interrupts
    assert step(30_000, *[(SPIN, 0)] * 100) == undisturbed[1]
    assert client.status().interrupts > before
