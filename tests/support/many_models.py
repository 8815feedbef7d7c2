"""Put many small models into one program, to compile the kernels only once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tflm_hil.compiler import compile_model
from tflm_hil.models.tflite_file import TensorType, parse

from support.compiler_helpers import run_tflm

MAIN = r"""
#include "aot_model.h"
#include <stdio.h>
extern const aot_model_t %(names)s;
static const aot_model_t *const models[] = {%(addresses)s};
/* Each model takes its input once and writes its output. */
int main(void) {
    for (unsigned m = 0; m < sizeof models / sizeof models[0]; m++) {
        const hil_tensor_t *x = models[m]->inputs, *y = models[m]->outputs;
        if (fread(x->data, 1, x->bytes, stdin) != x->bytes) { return 1; }
        models[m]->run();
        if (fwrite(y->data, 1, y->bytes, stdout) != y->bytes) { return 2; }
    }
    return 0;
}
"""


def random_inputs(model: bytes, seed: int) -> npt.NDArray[Any]:
    """Return random values for a network with one input, int8, int16 or float32."""
    graph = parse(model)
    x = graph.tensors[graph.inputs[0]]
    rng = np.random.default_rng(seed)
    if x.type is TensorType.INT8:
        return rng.integers(-128, 128, x.shape).astype(np.int8)
    if x.type is TensorType.INT16:
        return rng.integers(-32768, 32768, x.shape).astype(np.int16)
    return rng.normal(0, 1, x.shape).astype(np.float32)


def many_models(models: Sequence[bytes], folder: Path, main: str = MAIN) -> list[Path]:
    """Write and return the sources of a program with all `models`, without the kernels.

    `main` is the main file, which runs each of `models[]`; the default takes networks with one input and one output.
    """
    sources = [folder / "main.c"]
    for number, model in enumerate(models):
        path = folder / f"{number}.tflite"
        path.write_bytes(model)
        compile_model(path, folder / str(number))
        sources.append(folder / f"{number}.c")
        sources[-1].write_text(f'#define aot_model aot_model_{number}\n#include "{number}/aot_model.c"\n')
    names = [f"aot_model_{number}" for number in range(len(models))]
    sources[0].write_text(main % {"names": ", ".join(names), "addresses": ", ".join(f"&{name}" for name in names)})
    return sources


def check_many_models(models: Sequence[bytes], run: Callable[[bytes], bytes]) -> None:
    """Compare every model with TFLM. `run` runs the program: from its standard input to its standard output."""
    inputs = [random_inputs(model, seed) for seed, model in enumerate(models)]
    written = run(b"".join(values.tobytes() for values in inputs))
    for number, (model, values) in enumerate(zip(models, inputs, strict=True)):
        expected = run_tflm(model, [values])[0].tobytes()
        assert written[: len(expected)] == expected, f"model {number}"
        written = written[len(expected) :]
    assert written == b""
