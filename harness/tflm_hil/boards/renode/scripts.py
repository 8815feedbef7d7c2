"""What Renode is told: the platform file of a target and the script that makes a machine of it.

The language of both is Renode's own: https://renode.readthedocs.io, "Describing platforms" and "Monitor".
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tflm_hil.targets import Peripheral, Renode, Sensor, Target

CPU, NVIC = "cpu", "nvic"
"""What core and interrupt controller are called, in the platform files of Renode's as well."""

SENSOR = "imu"
"""What the sensor of a target is called."""

ACCELERATION, ANGULAR_RATE = "acceleration.resd", "angular_rate.resd"
"""Files of what it senses."""

PLATFORM, PROGRAM, UART = "platform.repl", "program.elf", "uart"
"""Files of a run: the platform, the image, and the link to the pseudo-terminal that the UART is connected to."""

_TERMINAL = "pty"

HALTED, NO = f"{CPU} IsHalted", "False"
"""The question whether the core has given up, and the answer of one that has not."""

_NVIC_ADDRESS = 0xE000_E000
"""Armv6-M, Armv7-M and Armv8-M Architecture Reference Manuals: the System Control Space."""


@dataclass
class _Entry:
    """One entry of a platform file: a new peripheral with its `head`, or one that is there already."""

    head: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    interrupts: list[str] = field(default_factory=list)


def platform(target: Target, renode: Renode) -> str:
    """Return the platform file of `target`, which Renode emulates as `renode` says."""
    lines = [f'using "{renode.base}"'] if renode.base else []
    for name, entry in _entries(target, renode).items():
        lines.append(f"{name}: {entry.head}".rstrip())
        lines += [f"    {key}: {value}" for key, value in entry.properties.items()]
        lines += [f"    {interrupt}" for interrupt in entry.interrupts]
    return "\n".join(lines) + "\n"


def script(target: Target, renode: Renode, folder: Path) -> str:
    """Return the script that makes a machine of `target`, with its name, and leaves it halted at reset.

    Its files are in `folder`, whose path has no space. The macro `reset` runs at each reset, also at one that the
    firmware asks for: without it no program is in memory from then on. The last line answers NO, which shows that those
    above it worked: a script ends at the first line that fails.

    Time passes as fast as it can; but a sensor does not wait until its rows are fetched, so then it passes as it does
    for the host.
    """
    speed = "" if target.sensor else "emulation SetGlobalAdvanceImmediately true\n"
    return f'''\
mach create "{target.name}"
machine LoadPlatformDescription @{folder / PLATFORM}
{speed}emulation CreateUartPtyTerminal "{_TERMINAL}" "{folder / UART}"
connector Connect sysbus.{renode.uart} {_TERMINAL}
macro reset
"""
    sysbus LoadELF @{folder / PROGRAM}
"""
runMacro $reset
{HALTED}
'''


def feeding(sensor: Sensor, folder: Path) -> tuple[str, str]:
    """Return the commands that let `sensor` sense, from this moment on, what its two files in `folder` hold."""
    name, since = f"{sensor.bus}.{SENSOR}", "sampleOffsetType=CurrentVirtualTime"
    return (
        f"{name} FeedAccelerationSamplesFromRESD @{folder / ACCELERATION} {since}",
        f"{name} FeedAngularRateSamplesFromRESD @{folder / ANGULAR_RATE} {since}",
    )


def _entries(target: Target, renode: Renode) -> dict[str, _Entry]:
    entries = {NVIC: _Entry(), CPU: _Entry()}
    if renode.base is None:
        memory = {
            f"{name}_memory": _Entry(
                f"Memory.MappedMemory @ sysbus 0x{region.origin:X}", {"size": f"0x{region.bytes:X}"}
            )
            for name, region in target.memory.items()
        }
        entries = memory | {
            NVIC: _Entry(f"IRQControllers.NVIC @ sysbus 0x{_NVIC_ADDRESS:X}", interrupts=[f"IRQ -> {CPU}@0"]),
            CPU: _Entry("CPU.CortexM @ sysbus", {NVIC: NVIC}),
        }
    entries[NVIC].properties["systickFrequency"] = str(renode.counter_hz)
    entries[CPU].properties |= {"cpuType": f'"{target.core.lower()}"', "PerformanceInMips": str(renode.mips)}
    for name, peripheral in renode.peripherals.items():
        entry = entries.setdefault(name, _Entry())
        if peripheral.model is not None:
            entry.head = f"{peripheral.model} @ sysbus 0x{peripheral.address:X}"
        entry.properties |= {key: _literal(value) for key, value in peripheral.properties.items()}
        entry.interrupts += _interrupts(peripheral)
    if target.sensor is not None and target.sensor.model.in_renode is not None:
        place = f"{target.sensor.bus} 0x{target.sensor.address:X}"
        entries[SENSOR] = _Entry(f"{target.sensor.model.in_renode} @ {place}")
    return entries


def _interrupts(peripheral: Peripheral) -> Iterator[str]:
    if isinstance(peripheral.irq, dict):
        yield from (f"{output} -> {NVIC}@{number}" for output, number in peripheral.irq.items())
    elif peripheral.irq is not None:
        yield f"-> {NVIC}@{peripheral.irq}"


def _literal(value: bool | int | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int) else f'"{value}"'
