"""Count the instructions that compiled networks execute on an emulated Cortex-M4. The counts are deterministic."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from support.compiler_helpers import FLAGS
from support.emulated_programs import CORES, EMULATOR, Core, build, kernels
from support.many_models import many_models

CORTEX_M4 = next(core for core in CORES if core.name == "cortex-m4")

# SysTick counts down at 25 MHz of virtual time, and an instruction takes 64 ns of it.
MAIN = r"""
#include "aot_model.h"
#include <stdio.h>
#define SYST ((volatile uint32_t *)0xE000E010)
extern const aot_model_t %(names)s;
static const aot_model_t *const models[] = {%(addresses)s};
int main(void) {
    for (unsigned m = 0; m < sizeof models / sizeof models[0]; m++) {
        SYST[1] = 0xFFFFFF;
        SYST[2] = 0;
        SYST[0] = 5;
        models[m]->run();
        const uint32_t left = SYST[2], wrapped = SYST[0] >> 16 & 1;
        const uint32_t ticks = wrapped ? UINT32_MAX : 0xFFFFFF - left;
        if (fwrite(&ticks, sizeof ticks, 1, stdout) != 1) { return 1; }
    }
    return 0;
}
"""
TICKS_PER_INSTRUCTION = 1.6


def instruction_counts(networks: Mapping[str, bytes], folder: Path, core: Core = CORTEX_M4) -> dict[str, int]:
    """Return the instructions of one inference of each of `networks` (.tflite files by name) on inputs of zeros.

    Each may take at most 10 million instructions.
    """
    program = build(core, folder, FLAGS, [*many_models(list(networks.values()), folder, MAIN), kernels(core)])
    command = [EMULATOR, "-M", str(core.machine), "-kernel", str(program), "-icount", "shift=6"]
    command += ["-semihosting-config", f"enable=on,target=native,arg={program.name}"]
    command += ["-nographic", "-monitor", "none", "-serial", "none"]
    written = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout
    ticks = struct.unpack(f"<{len(networks)}I", written)
    assert max(ticks) < 0xFFFFFFFF, "SysTick has wrapped"
    return {name: round(count / TICKS_PER_INSTRUCTION) for name, count in zip(networks, ticks, strict=True)}
