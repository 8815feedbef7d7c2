"""The targets of tflm-hil, for tests that build or emulate."""

from __future__ import annotations

from tflm_hil.targets import load_targets

TARGETS = load_targets()
STM32F4 = TARGETS["stm32f4"]
BUILT = [target for target in TARGETS.values() if target.build]
EVERY_TIME = ("nrf51", "stm32f2", "stm32f4", "mps2_an505")
"""The names of those that are built by PlatformIO every time: one of each core.

The others are compiled every time, and built at night. Among them is the M7, which executes what the M4 does.
"""
