"""Compile a network to C and run it as a program with sanitizers on the host."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
from tflm_hil.compiler import compile_model
from tflm_hil.models.tflite_file import parse

from support.compiler_helpers import ENGINE, FLAGS, SOURCES
from support.once import once

SANITIZE = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

MAIN = r"""
#include "engine.h"
#include <stdio.h>
#include <stdlib.h>
/* The argument is the number of tensors to write after the outputs, if they are kept. */
int main(int argc, char **argv) {
    if (argc != 2) { return 4; }
    if (!engine_init()) { return 1; }
    for (;;) {
        for (uint8_t i = 0; i < engine_input_count(); i++) {
            const hil_tensor_t *t = &engine_inputs()[i];
            if (fread(t->data, 1, t->bytes, stdin) != t->bytes) { return i == 0 ? 0 : 2; }
        }
        if (!engine_invoke()) { return 3; }
        for (uint8_t i = 0; i < engine_output_count(); i++) {
            const hil_tensor_t *t = &engine_outputs()[i];
            fwrite(t->data, 1, t->bytes, stdout);
        }
        for (int i = 0; i < atoi(argv[1]); i++) {
            const void *data;
            uint32_t bytes;
            if (engine_tensor((uint16_t)i, &data, &bytes)) { fwrite(data, 1, bytes, stdout); }
        }
    }
}
"""


def sanitized() -> tuple[Path, Path]:
    """Return the object of `MAIN`, and an archive of all kernels and of the engine, with sanitizers."""

    def make(folder: Path) -> None:
        (folder / "main.c").write_text(MAIN)
        sources = [ENGINE / "engine_aot.c", *SOURCES]
        subprocess.run(["gcc", *FLAGS, *SANITIZE, "-c", *sources], check=True, cwd=folder)
        subprocess.run(["ar", "rcs", folder / "kernels.a", *sorted(folder.glob("*.o"))], check=True)
        subprocess.run(["gcc", *FLAGS, *SANITIZE, "-c", "main.c"], check=True, cwd=folder)

    folder = once("kernels-sanitized", make)
    return folder / "main.o", folder / "kernels.a"


def run_generated(
    model: Path, folder: Path, runs: Sequence[Sequence[npt.NDArray[Any]]], *, keep_tensors: bool = False
) -> list[bytes]:
    """Compile `model` to a program with sanitizers and run it; return what it writes for each of `runs`.

    It writes the outputs and, with `keep_tensors`, all activations after them in the order of their indices.
    """
    sources = compile_model(model, folder / "generated", keep_tensors=keep_tensors).sources
    count = len(parse(model.read_bytes()).tensors) if keep_tensors else 0
    program = folder / "program"
    subprocess.run(["gcc", *FLAGS, *SANITIZE, "-o", program, *sources, *sanitized()], check=True)
    stdin = b"".join(values.tobytes() for run in runs for values in run)
    result = subprocess.run([str(program), str(count)], input=stdin, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    size, rest = divmod(len(result.stdout), len(runs))
    assert rest == 0
    return [result.stdout[i * size : (i + 1) * size] for i in range(len(runs))]
