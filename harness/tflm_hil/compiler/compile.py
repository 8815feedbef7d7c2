"""From a .tflite to the generated sources of the aot engine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.compiler.emit import describe_step, emit
from tflm_hil.compiler.graph.network import Network
from tflm_hil.compiler.kernel_call import Array
from tflm_hil.compiler.memory.storage import Storage
from tflm_hil.compiler.operators import lower
from tflm_hil.compiler.passes.fusion import fuse
from tflm_hil.files import write_text
from tflm_hil.models.tflite_file import read


@dataclass(frozen=True)
class CompiledModel:
    """What came out of the compiler.

    `arena_bytes` is the RAM for activations and scratch memory, inputs and outputs included; `arena_lower_bound` the
    largest sum of tensors that are alive at one step, which a plan can only go below where an operator writes over what
    it has read. `constant_bytes` is the flash for weights and other constant arrays. `operators` describes each
    operator that is executed, in order.
    """

    arena_bytes: int
    arena_lower_bound: int
    constant_bytes: int
    sources: list[Path]
    operators: list[str]


def compile_model(graph_path: Path, out_dir: Path, *, keep_tensors: bool = False) -> CompiledModel:
    """Compile the .tflite at `graph_path` into `out_dir`/aot_model.c.

    The file is left alone where it already has the right content, so that a build has nothing to do again. With
    `keep_tensors` (debug builds) every operator is a step of its own, no tensor shares memory with another, and
    engine_tensor() can read them all.

    Raises:
        HilError: the file is not a valid .tflite, or the aot engine cannot run it: an operator, a type, a shape or an
            option, named with the operator's index and what is supported.
    """
    network = Network(graph_path, read(graph_path))
    steps = [lower(operator, network) for operator in network.operators]
    if not keep_tensors:
        steps = fuse(steps, network)
    storage = Storage(network, steps, keep_tensors)
    digest = hashlib.sha256(graph_path.read_bytes()).hexdigest()
    text = emit(network, steps, storage, f"{graph_path.name}, SHA-256 {digest}", keep_tensors)
    source = out_dir / "aot_model.c"
    if not source.is_file() or source.read_text(encoding="utf-8") != text:
        write_text(source, text)
    arrays = [value for step in steps for value in step.parameters.values() if isinstance(value, Array)]
    return CompiledModel(
        arena_bytes=storage.arena_bytes,
        arena_lower_bound=storage.lower_bound,
        constant_bytes=sum(array.bytes for array in arrays) + sum(storage.constants.values()),
        sources=[source],
        operators=[describe_step(step, network) for step in steps],
    )
