"""Shared by the tests of the compiler: the sources and flags of the kernels, TFLM, and refusals."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pytest
from tflm_hil.compiler import compile_model
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_file import parse

ROOT = Path(__file__).parents[2]
LIBRARIES = ROOT / "firmware" / "lib"
ENGINE = LIBRARIES / "aot"
KERNELS = ENGINE / "kernels"
SOURCES = sorted(KERNELS.rglob("*.c"))
FLAGS = [
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffp-contract=off",
    f"-I{ENGINE}",
    *(f"-I{family}" for family in sorted(KERNELS.iterdir())),
    f"-I{LIBRARIES / 'engine'}",
    f"-I{LIBRARIES / 'protocol' / 'src'}",
]

needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="no host gcc: apt-get install gcc")


def run_tflm(model: bytes, inputs: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
    """Return the outputs of TFLM for one inference."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=1 << 20)
    for i, values in enumerate(inputs):
        interpreter.set_input(values, i)
    interpreter.invoke()
    outputs = []
    for i in range(len(parse(model).outputs)):
        outputs.append(interpreter.get_output(i).copy())
    return outputs


def refusal(content: bytes, folder: Path) -> str:
    """Return the line with which the compiler refuses `content`, without the name of the file."""
    path = folder / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(HilError) as caught:
        compile_model(path, folder / "generated")
    assert not (folder / "generated").exists()
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")
