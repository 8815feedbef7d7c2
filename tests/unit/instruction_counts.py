"""How many instructions compiled networks execute on an emulated Cortex-M4: the same numbers on every run."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

from compiler_helpers import FLAGS
from emulated_programs import CORES, EMULATOR, Core, build, kernels

from harness.compiler import compile_model

CORTEX_M4 = next(core for core in CORES if core.name == "cortex-m4")

# SysTick counts down 25 million ticks a second of virtual time, of which an instruction takes 64 ns.
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
    """The instructions of one inference of each of `networks` (.tflite files by name), with inputs of zeros.

    At most 10 million each.
    """
    sources = [folder / "main.c"]
    for number, model in enumerate(networks.values()):
        path = folder / f"{number}.tflite"
        path.write_bytes(model)
        compile_model(path, folder / str(number))
        sources.append(folder / f"{number}.c")
        sources[-1].write_text(f'#define aot_model aot_model_{number}\n#include "{number}/aot_model.c"\n')
    names = [f"aot_model_{number}" for number in range(len(networks))]
    sources[0].write_text(MAIN % {"names": ", ".join(names), "addresses": ", ".join(f"&{name}" for name in names)})
    program = build(core, folder, FLAGS, [*sources, kernels(core)])
    command = [EMULATOR, "-M", str(core.machine), "-kernel", str(program), "-icount", "shift=6"]
    command += ["-semihosting-config", f"enable=on,target=native,arg={program.name}"]
    command += ["-nographic", "-monitor", "none", "-serial", "none"]
    written = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout
    ticks = struct.unpack(f"<{len(networks)}I", written)
    assert max(ticks) < 0xFFFFFFFF, "SysTick has wrapped"
    return {name: round(count / TICKS_PER_INSTRUCTION) for name, count in zip(networks, ticks, strict=True)}
