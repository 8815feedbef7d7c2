"""What TensorFlow Lite Micro with CMSIS-NN kernels needs for the MLPerf Tiny networks: the mark for the aot engine.

Measured once, with the upstream sources of commit 90b983c2 (release build, its default optimization levels), gcc 12.2
and QEMU 7.2 (`netduinoplus2`), ten random int8 inputs each; the smallest arena that allocates and runs.
"""

from __future__ import annotations

from dataclasses import dataclass

FLASH_SHARE = 0.5
ARENA_SHARE = 0.8


@dataclass(frozen=True)
class Upstream:
    """Instructions of an inference; arena, and flash without the model, in bytes."""

    instructions: int
    arena: int
    flash: int


# By the names under which the networks are published (without .tflite).
CMSIS_NN = {
    "ad01_int8": Upstream(582_939, 3_024, 31_216),
    "kws_ref_model": Upstream(7_697_519, 22_832, 83_624),
    "pretrainedResnet_quant": Upstream(29_864_122, 55_008, 78_484),
    "vww_96_int8": Upstream(24_101_953, 100_720, 83_624),
}
