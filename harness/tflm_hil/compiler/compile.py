"""Compile a .tflite to the generated sources of the aot engine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.compiler.emit import describe_call, emit
from tflm_hil.compiler.graph.network import Network, check_graph
from tflm_hil.compiler.kernel_call import Array, KernelCall
from tflm_hil.compiler.memory.storage import Storage
from tflm_hil.compiler.operators import lower
from tflm_hil.compiler.passes.fuse_residual_add import fuse_residual_add
from tflm_hil.files import write_text
from tflm_hil.models import folding
from tflm_hil.models.steps import Step, step
from tflm_hil.models.tflite_file import Graph, read

# Graph passes rewrite the graph, in the same way for every engine; call passes rewrite the kernel calls that follow.
GRAPH_PASSES = folding.PASSES
CALL_PASSES = (fuse_residual_add,)


@dataclass(frozen=True)
class CompiledModel:
    """The result of the compiler.

    `arena_bytes` is the RAM for activations and scratch memory, including inputs and outputs. `arena_lower_bound` is
    the largest sum of tensors that are alive at one step; a plan is smaller only if operators overwrite their inputs.
    `constant_bytes` is the flash for weights and other constant arrays. `operators` describes each operator that is
    executed, in order.
    """

    arena_bytes: int
    arena_lower_bound: int
    constant_bytes: int
    sources: list[Path]
    operators: list[str]


def compile_model(
    graph_path: Path, out_dir: Path, *, keep_tensors: bool = False, mark_steps: bool = False
) -> CompiledModel:
    """Compile the .tflite at `graph_path` into `out_dir`/aot_model.c.

    Do not touch a file that has the right content, so the build does not repeat work. With `keep_tensors` (debug
    builds) every operator is a separate step, tensors do not share memory, and engine_tensor() can read them all. With
    `mark_steps` (profile builds) there is a second way to run the same steps, which marks each of them.

    Raises:
        HilError: the file is not a valid .tflite, or the aot engine does not support an operator, a type, a shape or an
            option. The message names the operator and what is supported.
    """
    network, calls = lower_graph(graph_path, read(graph_path), keep_tensors)
    storage = Storage(network, calls, keep_tensors)
    digest = hashlib.sha256(graph_path.read_bytes()).hexdigest()
    text = emit(network, calls, storage, f"{graph_path.name}, SHA-256 {digest}", keep_tensors, mark_steps)
    source = out_dir / "aot_model.c"
    if not source.is_file() or source.read_text(encoding="utf-8") != text:
        write_text(source, text)
    arrays = [value for call in calls for value in call.parameters.values() if isinstance(value, Array)]
    return CompiledModel(
        arena_bytes=storage.arena_bytes,
        arena_lower_bound=storage.lower_bound,
        constant_bytes=sum(array.bytes for array in arrays) + sum(storage.constants.values()),
        sources=[source],
        operators=[describe_call(call, network) for call in calls],
    )


def lower_graph(path: Path, graph: Graph, keep_tensors: bool = False) -> tuple[Network, list[KernelCall]]:
    """Return the network of `graph` and its kernel calls after all passes. `path` is for messages.

    With `keep_tensors` there is one call per operator.

    Raises:
        HilError: the aot engine cannot run the graph.
    """
    return _lower(path, _rewrite(path, graph), keep_tensors)


def steps(path: Path) -> list[Step]:
    """Return the steps of an inference, in order. What needs no code, such as a RESHAPE, is not among them.

    Raises:
        HilError: the aot engine cannot run the network.
    """
    graph = _rewrite(path, read(path))
    _, calls = _lower(path, graph)
    operators = {operator.index: operator for operator in graph.operators}
    return [step(graph, [operators[op.index] for op in (*call.fused, call.op)]) for call in calls if call.kernel]


def _rewrite(path: Path, graph: Graph) -> Graph:
    check_graph(path, graph)
    for rewrite in GRAPH_PASSES:
        graph = rewrite(graph)
    return graph


def _lower(path: Path, graph: Graph, keep_tensors: bool = False) -> tuple[Network, list[KernelCall]]:
    network = Network(path, graph)
    calls = [lower(op) for op in network.ops]
    for combine in () if keep_tensors else CALL_PASSES:
        calls = combine(calls, network)
    return network, calls
