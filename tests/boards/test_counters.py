"""What ticks mean, and counters that are refused because they count something else."""

from __future__ import annotations

import types
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.device_helpers import bench
from support.targets import STM32F4, TARGETS
from tflm_hil.boards.counters import CycleCounter, InstructionCounter
from tflm_hil.boards.qemu.board import QemuBoard, rates
from tflm_hil.boards.serial.board import SerialBoard
from tflm_hil.device.device_info import Counter, DeviceInfo
from tflm_hil.errors import DeviceError
from tflm_hil.progress import silent

LOOP = 1024
COUNTING = [name for name, target in TARGETS.items() if target.qemu and target.qemu.counter_hz]


@pytest.fixture
def info(tmp_path: Path) -> DeviceInfo:
    return bench(tmp_path).client.hello()


def calibrated(info: DeviceInfo, ticks: int, instructions: int = LOOP, counter: Counter = Counter.DWT) -> DeviceInfo:
    return replace(info, counter=counter, calibration_instructions=instructions, calibration_ticks=ticks)


def test_qemu_counts_instructions_without_the_overhead(info: DeviceInfo, tmp_path: Path) -> None:
    board = QemuBoard("emulated", tmp_path)
    board.machine.flash(FirmwareOfStm32f4, silent)  # type: ignore[arg-type]
    info = replace(info, counter=Counter.SYSTICK, overhead_ticks=75)  # 7 instructions
    assert (board.unit(info), board.counts(info, 107595)) == ("instructions", 10_000)


def test_hardware_counts_cycles_without_the_overhead(info: DeviceInfo) -> None:
    board = SerialBoard("/dev/ttyACM0", STM32F4)
    assert (board.unit(info), board.counts(info, 1012)) == ("cycles", 1000)


@pytest.mark.parametrize("name", COUNTING)
@given(instructions=st.integers(0, 10**9), phase=st.fractions(0, Fraction(999999, 1000000)))
def test_instructions_come_back_exactly_from_whole_ticks(name: str, instructions: int, phase: Fraction) -> None:
    emulation = TARGETS[name].qemu
    assert emulation is not None
    assert emulation.counter_hz is not None
    assert emulation.icount_shift is not None
    # Both readings of the counter are cut to whole ticks: on the stm32f4, 168 MHz x 64 ns = 10.752 an instruction.
    rate = Fraction(emulation.counter_hz * 2**emulation.icount_shift, 10**9)
    counter = InstructionCounter("emulated", lambda: rates(TARGETS[name]))
    overhead = int(7 * rate)
    measured = int(phase + (7 + instructions) * rate) - int(phase)
    info = types.SimpleNamespace(counter=Counter.SYSTICK, overhead_ticks=overhead)
    assert counter.counts(info, measured) == instructions  # type: ignore[arg-type]


# Cycles of a loop of 1,024 instructions, whose turns of 16 have 15 instructions of one cycle and a branch of 3 (M0), of
# 2 (M0+), of 2 to 4 (M3, M4); or in which an M7 or M33 executes some pairs at once.
@pytest.mark.parametrize(
    ("core", "cycles"),
    [
        ("Cortex-M0", [1152]),
        ("Cortex-M0+", [1088]),
        ("Cortex-M3", [1088, 1216]),
        ("Cortex-M4", [1088, 1216]),
        ("Cortex-M7", [896, 1024]),
        ("Cortex-M33", [896, 1152]),
    ],
)
def test_cycles_of_a_core_are_accepted_and_half_as_many_or_none_refused(
    info: DeviceInfo, core: str, cycles: list[int]
) -> None:
    counter = CycleCounter(core)
    for ticks in cycles:
        counter.check(calibrated(info, ticks))
        for wrong in (0, ticks // 8, ticks // 2, 2 * ticks + LOOP):
            with pytest.raises(DeviceError, match=f"shows {wrong:,} ticks"):
                counter.check(calibrated(info, wrong))


def test_a_refusal_says_what_was_measured_and_what_was_expected(info: DeviceInfo) -> None:
    with pytest.raises(DeviceError) as raised:
        CycleCounter("Cortex-M4").check(calibrated(info, 512, counter=Counter.SYSTICK))
    assert str(raised.value) == (
        "the device's counter (SYSTICK) shows 512 ticks for a loop of 1,024 instructions, which takes a Cortex-M4 1,088"
        " to 2,047 cycles: it does not count the cycles of the core; mend it, or have the firmware report no counter"
    )


# Renode's own STM32F4 has SysTick at 72 MHz and a core of 100 MIPS, and shows 6,588 for 13,736 instructions.
def test_the_counter_of_renodes_stock_platform_is_refused(info: DeviceInfo) -> None:
    stock = calibrated(info, 6588, 13736, Counter.SYSTICK)
    with pytest.raises(DeviceError, match=r"shows 6,588 instructions for a loop of 13,736: .* 0\.48 ticks pass in one"):
        InstructionCounter("emulated", lambda: {Counter.SYSTICK: 1.0}).check(stock)
    with pytest.raises(DeviceError, match="shows 6,588 ticks for a loop of 13,736 instructions"):
        CycleCounter("Cortex-M4").check(stock)


@pytest.mark.parametrize("off", [-3, 3])
def test_an_emulator_must_count_every_instruction(info: DeviceInfo, off: int) -> None:
    counter = InstructionCounter("emulated", lambda: {Counter.SYSTICK: 10.752, Counter.DWT: 1.0})
    counter.check(calibrated(info, 11010, counter=Counter.SYSTICK))  # 1,024 instructions are 11,010.048 ticks
    counter.check(calibrated(info, LOOP))
    with pytest.raises(DeviceError, match=r"the target's file says 10\.8; correct the file"):
        counter.check(calibrated(info, 11010 + off, counter=Counter.SYSTICK))
    with pytest.raises(DeviceError, match="for a loop of 1,024"):
        counter.check(calibrated(info, LOOP + off))
    InstructionCounter("emulated", lambda: {Counter.DWT: 1.0}, inaccuracy=0.01).check(calibrated(info, LOOP + off))


def test_a_counter_that_stands_still_in_the_emulator_is_refused(info: DeviceInfo, tmp_path: Path) -> None:
    board = QemuBoard("emulated", tmp_path)
    board.machine.flash(FirmwareOfStm32f4, silent)  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match="counts with DWT, which does not count instructions there"):
        board.check(info)


@pytest.mark.parametrize("counter", [CycleCounter("AVR"), InstructionCounter("emulated", lambda: {Counter.TIMER: 3.0})])
def test_an_application_without_a_calibration_or_a_counter_is_not_refused(
    info: DeviceInfo, counter: CycleCounter | InstructionCounter
) -> None:
    counter.check(calibrated(info, 0, 0, Counter.TIMER))
    without = calibrated(info, 0, LOOP, Counter.NONE)
    counter.check(without)
    assert counter.unit(without) == ""


class FirmwareOfStm32f4:
    """An image, as far as the board looks at it."""

    target, elf, elf_sha256 = STM32F4, Path("program.elf"), ""
