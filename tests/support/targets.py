"""The targets of tflm-hil, for tests that build or emulate."""

from __future__ import annotations

from tflm_hil.targets import load_targets

TARGETS = load_targets()
STM32F4 = TARGETS["stm32f4"]
BUILT = [target for target in TARGETS.values() if target.build]
