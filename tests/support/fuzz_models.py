"""Damage models, then read and compile them, in a process with little memory and time.

    python fuzz_models.py FIRST COUNT EVERY FOLDER

runs the cases FIRST to FIRST + COUNT - 1 and exits with 0 if each gives a compiled model or one line. A case depends
only on its number, so a failure can be repeated alone. With EVERY = n, every nth compiled model also runs as a program
with sanitizers.
"""

from __future__ import annotations

import resource
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tflm_hil.compiler import compile_model
from tflm_hil.compiler.operators import supported
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_builder import build
from tflm_hil.models.tflite_file import TensorType, read

from support.compiler_helpers import ROOT
from support.generated_programs import run_generated
from support.random_networks import FLOAT32, INT8, RandomNetwork

MEMORY_BYTES = 512 << 20
CPU_SECONDS = 20.0
# Programs with a larger arena would take too long to run.
LARGEST_ARENA = 1 << 20
SIZES = [-(2**31), -1, 0, 1, 2, 3, 7, 128, 255, 65535, 65536, 2**31 - 1]
SCALES = [0.0, 1e-45, 1e-30, 1e-6, 0.01, 0.3, 1.0, 3e7, 1e30, 3e38, np.nan]
WORDS = [0, 1, 2, 4, 0x7F, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC, 0x7FC00000, 0x7F800000, 0x00000001]


def sound_model(rng: np.random.Generator) -> bytes:
    """A valid model to damage: mostly small networks, because damage then often hits their structure."""
    if rng.integers(8) == 0:
        return (ROOT / "models" / "gesture" / "gesture_int8.tflite").read_bytes()
    return RandomNetwork(int(rng.integers(50)), INT8 if rng.integers(2) else FLOAT32, 6).bytes


def absurd_model(rng: np.random.Generator) -> bytes:
    """A well-formed file of a nonsensical model, which reaches the compiler."""
    network = RandomNetwork(int(rng.integers(50)), INT8 if rng.integers(2) else FLOAT32, 6)
    for _ in range(int(rng.integers(1, 3))):
        tensor = network.tensors[rng.integers(len(network.tensors))]
        operator = network.operators[rng.integers(len(network.operators))]
        tensors = [-1, *range(len(network.tensors))]
        match int(rng.integers(9)):
            case 0:
                tensor.shape = [*tensor.shape[: int(rng.integers(8))], int(rng.choice(SIZES))]
            case 1:
                tensor.type = list(TensorType)[rng.integers(len(TensorType))]
            case 2:
                tensor.scales = [float(scale) for scale in rng.choice(SCALES, rng.choice([0, 1, 1, 1, 2]))]
                tensor.zero_points = rng.choice([0, 0, -128, 127, *SIZES], len(tensor.scales)).tolist()
            case 3:
                tensor.data = None if tensor.data is not None else np.zeros(16, np.int8)
            case 4:
                operator.kind, operator.options = str(rng.choice(list(supported()))), {}
            case 5:
                operator.inputs = [int(index) for index in rng.choice(tensors, rng.integers(5))]
            case 6 if operator.options:
                name = str(rng.choice(sorted(operator.options)))
                operator.options = {**operator.options, name: int(rng.choice([-1, 0, 1, 2, 3, 5, 100]))}
            case 7 if tensor.data is not None:
                extreme = np.iinfo(tensor.data.dtype).max if tensor.data.dtype.kind == "i" else np.inf
                tensor.data = np.full_like(tensor.data, extreme if rng.integers(2) else -extreme)
            case _:
                network.outputs = [int(index) for index in rng.choice(network.live, rng.integers(1, 4))]
    try:
        return build(network.tensors, network.operators, network.inputs, network.outputs)
    except (TypeError, ValueError, OverflowError):
        return absurd_model(rng)  # a number that the format cannot hold


def damaged(number: int) -> bytes:
    """The file of case `number`: truncated, with flipped bits, overwritten words or a moved piece, or absurd."""
    rng = np.random.default_rng(number)
    if number % 8 > 4:
        return absurd_model(rng)
    content = bytearray(sound_model(rng))
    match number % 8:
        case 0:
            return bytes(content[: rng.integers(len(content))])
        case 1 | 2:
            for position in rng.integers(len(content) * 8, size=rng.integers(1, 9)).tolist():
                content[position // 8] ^= 1 << position % 8
        case 3:
            for position in rng.integers(len(content) // 4, size=rng.integers(1, 4)).tolist():
                word = int(rng.choice(WORDS)) if rng.integers(2) else int(rng.integers(2**32))
                content[4 * position : 4 * position + 4] = word.to_bytes(4, "little")
        case _:
            size = int(rng.integers(1, 64))
            source, target = rng.integers(len(content) - size, size=2).tolist()
            content[target : target + size] = content[source : source + size]
    return bytes(content)


def compiles(path: Path, folder: Path) -> bool:
    """Return whether the aot engine takes the model `path`; it must refuse others with one line that names the file."""
    try:
        read(path)
        return compile_model(path, folder / "generated").arena_bytes <= LARGEST_ARENA
    except HilError as error:
        message = str(error)
    assert str(path) in message, message
    assert "\n" not in message, message
    return False


def execute(path: Path, folder: Path) -> None:
    """Run the program with all inputs 1. Raises if gcc or a sanitizer complains."""
    graph = read(path)
    inputs: list[Any] = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        inputs.append(np.ones(tensor.elements, tensor.type.dtype))
    run_generated(path, folder, [inputs])


def main() -> None:
    """See the module."""
    first, count, every = (int(argument) for argument in sys.argv[1:4])
    folder = Path(sys.argv[4])
    path = folder / "damaged.tflite"
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, resource.RLIM_INFINITY))
    compiled = executed = 0
    for number in range(first, first + count):
        print(f"case {number}", flush=True)
        path.write_bytes(damaged(number))
        # The default action of the signal ends the process.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        takes = compiles(path, folder)
        signal.setitimer(signal.ITIMER_PROF, 0)
        compiled += takes
        if takes and every and compiled % every == 0:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            execute(path, folder)
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY_BYTES, resource.RLIM_INFINITY))
            executed += 1
    print(f"{count} cases: {compiled} compiled, {executed} executed, {count - compiled} refused")


if __name__ == "__main__":
    main()
