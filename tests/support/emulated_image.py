"""The real firmware with a network that obeys commands, for tests of everything except the network."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from tflm_hil.boards.qemu import board as qemu
from tflm_hil.device.client import Client
from tflm_hil.device.messages import WindowResult
from tflm_hil.errors import DeviceError
from tflm_hil.firmware import environments, platformio
from tflm_hil.firmware.build_dir import BuildDir
from tflm_hil.firmware.image import FirmwareImage, read_image
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.model_config import write_model_config
from tflm_hil.models.manifest import Channel
from tflm_hil.models.tflite_file import TensorType
from tflm_hil.targets import Target

from support.firmware_helpers import MODEL_SHA256, ROOT, graph, model
from support.needs import skip_without_tools
from support.once import once

# A network with two inputs: the command, and an amount.
SPIN, RECURSE, CALL_NULL, DIVIDE_BY_ZERO, LOAD_MISALIGNED = range(5)
NETWORK = """
#include "aot_model.h"

static float in[2];
static float out[2];

static float recurse(volatile float *deeper) {
    volatile float here[8];
    here[0] = *deeper + 1.0f;
    return here[0] > 1e9f ? 0.0f : recurse(here) + here[0];
}

static volatile struct {
    void (*function)(void);
    int32_t number;
} nothing;

static inline int32_t quotient(void) {
    return 1000 / nothing.number;
}

static void run(void) {
    if (in[0] == 1.0f) {
        out[0] = recurse(in);
    } else if (in[0] == 2.0f) {
        nothing.function();
    } else if (in[0] == 3.0f) {
        out[0] = (float)quotient();
    } else if (in[0] == 4.0f) {
        uintptr_t odd = (uintptr_t)in + 1u;
        __asm volatile("ldm %0!, {r2, r3}" : "+l"(odd) : : "r2", "r3");
    }
    uint32_t left = (uint32_t)in[1] * 1000u + 1u;
    __asm volatile("1: subs %0, #1 \\n bne 1b" : "+r"(left) : : "cc");
    out[1] = in[1];
}

#ifdef HIL_PROFILE
#include "marks.h"

void aot_run_in_steps(void) {
    step_begin();
    run();
    step_end();
}
#endif

static const hil_tensor_t inputs[] = {{HIL_FLOAT32, 2, {1, 2}, 0.0f, 0, in, sizeof in}};
static const hil_tensor_t outputs[] = {{HIL_FLOAT32, 2, {1, 2}, 0.0f, 0, out, sizeof out}};
const aot_model_t aot_model = {inputs, outputs, 1, 1, sizeof in + sizeof out, run, 0, 0};
"""


def build(target: Target, kind: ImageKind = ImageKind.TESTED) -> FirmwareImage:
    """Return the image for `target`, which is built once in a run. Skips the test if a tool is missing."""
    skip_without_tools()
    environment = environments.environment(target.name, "aot", kind)
    if environment not in _built:
        folder = once(f"image-{environment}", lambda folder: _build(target, kind, folder))
        elf = folder / "build" / environment / "program.elf"
        _built[environment] = read_image(elf, target, 0, 0, folder / "generated")
    return _built[environment]


_built: dict[str, FirmwareImage] = {}


def _build(target: Target, kind: ImageKind, folder: Path) -> None:
    # Reuse the objects of the project.
    build_dir = BuildDir(ROOT, ROOT / ".hil", folder.name, target, environments.environment(target.name, "aot", kind))
    generated = folder / "generated"
    raw = [Channel(name, "raw", 1.0, 0.0, 1.0) for name in ("what", "amount")]
    write_model_config(model(folder, 1, 1, raw), MODEL_SHA256, graph(2, 2, TensorType.FLOAT32), generated)
    (generated / "aot_model.c").write_text(NETWORK)
    environments.define(build_dir, "aot", None, kind)
    settings = platformio.build_variables(generated, folder / "build")
    platformio.run(build_dir, settings, folder / "log")


def count_at(shift: int, patch: pytest.MonkeyPatch) -> None:
    """Let an instruction take 2^`shift` ns in each QEMU that starts from now on."""
    command_line = qemu.command_line
    option = f"shift={shift}"
    patch.setattr(
        qemu, "command_line", lambda *given: [re.sub("shift=.", option, word) for word in command_line(*given)]
    )


def run(client: Client, *commands: tuple[int, int]) -> list[WindowResult]:
    """Return the answers to commands, each of which is SPIN or RECURSE and an amount."""
    return client.stream(np.array(commands, np.int16))


def address_range(image: FirmwareImage, function: str) -> range:
    """Return the addresses of `function` in the image."""
    with image.elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        assert isinstance(table, SymbolTableSection)
        (symbol,) = table.get_symbol_by_name(function) or []
        start = symbol["st_value"] & ~1  # bit 0 marks Thumb code
        return range(start, start + symbol["st_size"])


def crash(client: Client) -> DeviceError:
    """Return the error when a crashed device is asked for its status."""
    with pytest.raises(DeviceError) as caught:
        client.status()
    return caught.value


def line_of(code: str) -> int:
    """Return the number of the line with `code` in the source of the network."""
    return next(number for number, line in enumerate(NETWORK.splitlines(), 1) if code in line)
