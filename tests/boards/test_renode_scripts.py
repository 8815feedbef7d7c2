"""What Renode is told: the platform of each target, and the script that makes a machine of it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from support.repl import MEASURED, parse
from support.targets import STM32F4, TARGETS
from tflm_hil.boards.renode.board import rates
from tflm_hil.boards.renode.scripts import feeding, platform, script
from tflm_hil.targets import Peripheral, Renode, Target

EMULATED = [target for target in TARGETS.values() if target.renode]
SENSING = TARGETS["stm32f4_lsm6dso"]
NVIC = {"nvic": Peripheral(properties={"priorityMask": 0xE0})}


def test_every_target_of_our_firmware_that_was_measured_has_a_platform() -> None:
    assert {target.name for target in EMULATED} >= {file.stem for file in MEASURED.glob("*.repl")}


@pytest.mark.parametrize("name", sorted(file.stem for file in MEASURED.glob("*.repl")))
def test_the_generated_platform_says_what_the_measured_one_said(name: str) -> None:
    renode = TARGETS[name].renode
    assert renode is not None
    assert parse(platform(TARGETS[name], renode)) == parse((MEASURED / f"{name}.repl").read_text())


def test_a_stock_platform_is_changed_and_added_to() -> None:
    renode = Renode(
        "uart0",
        64,
        64_000_000,
        "platforms/cpus/nrf52840.repl",
        {
            "dwt": Peripheral("Miscellaneous.DWT", 0xE000_1000, properties={"frequency": 64_000_000}),
            "uart0": Peripheral(properties={"easyDMA": False, "label": "A"}),
            "twi": Peripheral("I2C.NRF52840_I2C", 0x4000_3000, {"IRQ": 3, "DMA": 4}),
        },
    )
    assert platform(STM32F4, renode) == (
        'using "platforms/cpus/nrf52840.repl"\n'
        "nvic:\n"
        "    systickFrequency: 64000000\n"
        "cpu:\n"
        '    cpuType: "cortex-m4"\n'
        "    PerformanceInMips: 64\n"
        "dwt: Miscellaneous.DWT @ sysbus 0xE0001000\n"
        "    frequency: 64000000\n"
        "uart0:\n"
        "    easyDMA: false\n"
        '    label: "A"\n'
        "twi: I2C.NRF52840_I2C @ sysbus 0x40003000\n"
        "    IRQ -> nvic@3\n"
        "    DMA -> nvic@4\n"
    )


def test_a_platform_of_its_own_has_every_region_of_memory() -> None:
    target = msgspec.structs.replace(STM32F4, memory=STM32F4.memory | {"ccm": STM32F4.memory["ram"]})
    uart = Peripheral("UART.CMSDK_APB_UART", 0x4000_4000, 0)
    text = platform(target, Renode("uart0", 125, 125_000_000, None, {"uart0": uart}))
    assert text.startswith("flash_memory: Memory.MappedMemory @ sysbus 0x8000000\n    size: 0x80000\n")
    assert "\nccm_memory: Memory.MappedMemory @ sysbus 0x20000000\n    size: 0x20000\n" in text


def test_the_script_is_exact() -> None:
    assert STM32F4.renode is not None
    assert script(STM32F4, STM32F4.renode, Path("/r")) == (
        'mach create "stm32f4"\n'
        "machine LoadPlatformDescription @/r/platform.repl\n"
        "emulation SetGlobalAdvanceImmediately true\n"
        'emulation CreateUartPtyTerminal "pty" "/r/uart"\n'
        "connector Connect sysbus.usart2 pty\n"
        "macro reset\n"
        '"""\n'
        "    sysbus LoadELF @/r/program.elf\n"
        '"""\n'
        "runMacro $reset\n"
        "cpu IsHalted\n"
    )


def test_a_sensor_is_on_its_bus_and_time_does_not_run_away_from_it() -> None:
    assert SENSING.renode is not None
    assert platform(SENSING, SENSING.renode).endswith("\nimu: Sensors.LSM6DSO_IMU @ i2c1 0x6A\n")
    assert "AdvanceImmediately" not in script(SENSING, SENSING.renode, Path("/r"))


def test_the_commands_that_feed_a_sensor_are_exact() -> None:
    assert SENSING.sensor is not None
    assert feeding(SENSING.sensor, Path("/r")) == (
        "i2c1.imu FeedAccelerationSamplesFromRESD @/r/acceleration.resd sampleOffsetType=CurrentVirtualTime",
        "i2c1.imu FeedAngularRateSamplesFromRESD @/r/angular_rate.resd sampleOffsetType=CurrentVirtualTime",
    )


@pytest.mark.parametrize("target", EMULATED, ids=[target.name for target in EMULATED])
def test_an_instruction_takes_whole_ticks_of_every_counter(target: Target) -> None:
    assert {ticks for ticks in rates(target).values() if ticks == int(ticks) >= 1} == set(rates(target).values())
