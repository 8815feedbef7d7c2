"""A .tflite with its constants folded: what TFLM is given where it refuses the file as it is.

TFLM has no float16, no REDUCE_PROD and the like. Where these only compute what is known beforehand, the network itself
is one that TFLM runs, and so one that a device's answers can be compared with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tflm_hil.models.folding import fold
from tflm_hil.models.tflite_file import Operator, Tensor, parse


def folded_file(content: bytes) -> bytes | None:
    """The sound .tflite `content` without the operators that can be folded; None where there is none of them.

    Tensors keep their indices. Those of float16 weights stay in the file, unused.
    """
    graph = parse(content)
    folded = fold(graph)
    if len(folded.operators) == len(graph.operators):
        return None
    # Slow to import, and of no use to who only reads manifests.
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    network = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    subgraph = network.subgraphs[0]
    for old, new, written in zip(graph.tensors, folded.tensors, subgraph.tensors, strict=True):
        written.shape = np.array([max(size, 1) if size < 0 else size for size in new.shape], np.int32)
        if new.data is not old.data and new.data is not None:
            written.buffer = len(network.buffers)
            network.buffers.append(schema.BufferT())
            network.buffers[-1].data = np.frombuffer(new.data.tobytes(), np.uint8)
    for operator in folded.operators:
        _write(subgraph.operators[operator.index], graph.operators[operator.index], operator, folded.tensors)
    subgraph.operators = [subgraph.operators[operator.index] for operator in folded.operators]
    builder = schema.flatbuffers.Builder(len(content))
    builder.Finish(network.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _write(written: Any, old: Operator, new: Operator, tensors: list[Tensor]) -> None:
    """Make `written`, which is `old`, what `new` is.

    A second input of a RESHAPE that nothing computes any more is left out; the output's shape says the same.
    """
    inputs = [*new.inputs, *old.inputs[len(new.inputs) :]]
    if new.kind == "RESHAPE" and any(tensors[index].data is None for index in inputs[1:]):
        inputs = new.inputs
    written.inputs, written.outputs = np.array(inputs, np.int32), np.array(new.outputs, np.int32)
    for name, value in new.options.items():
        if value != old.options.get(name):
            setattr(written.builtinOptions, name[0].lower() + name[1:], value)
