"""Write a .tflite with folded constants, for networks that TFLM otherwise refuses.

TFLM lacks float16, REDUCE_PROD and others. If these only compute constants, TFLM can run the folded network, and the
answers of a device can be compared with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tflm_hil.models.folding import fold
from tflm_hil.models.tflite_file import Operator, Tensor, parse


def folded_file(content: bytes) -> bytes | None:
    """Return the valid .tflite `content` without the operators that can be folded; None if there are none.

    Tensors keep their indices. Folded float16 weights stay in the file, unused.
    """
    graph = parse(content)
    folded = fold(graph)
    if len(folded.operators) == len(graph.operators):
        return None
    # Imported here because it is slow, and not needed to read manifests.
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

    network = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
    subgraph = network.subgraphs[0]
    for old, new, written in zip(graph.tensors, folded.tensors, subgraph.tensors, strict=True):
        written.shape = np.array(new.static_shape, np.int32)
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
    """Change `written` from `old` to `new`.

    Leave out the second input of a RESHAPE if no operator computes it any more: the output has the same shape.
    """
    inputs = [*new.inputs, *old.inputs[len(new.inputs) :]]
    if new.kind == "RESHAPE" and any(tensors[index].data is None for index in inputs[1:]):
        inputs = new.inputs
    written.inputs, written.outputs = np.array(inputs, np.int32), np.array(new.outputs, np.int32)
    for name, value in new.options.items():
        if value != old.options.get(name):
            setattr(written.builtinOptions, name[0].lower() + name[1:], value)
