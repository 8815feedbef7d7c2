"""Check a graph as a whole and set its batch to 1."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tflm_hil.compiler.arithmetic.quantization import Quantization
from tflm_hil.compiler.graph.op import Op, Operand
from tflm_hil.errors import HilError
from tflm_hil.models.graph_checks import several_subgraphs
from tflm_hil.models.tflite_file import Graph, Tensor, TensorType
from tflm_hil.models.tflite_operators import foreign_operator

# The limits of hil_tensor_t and of the engine interface (firmware/lib/engine/engine.h), and of HELLO.
MAX_RANK = 6
MAX_DIMENSION = 2**16 - 1
IO_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.UINT8)
MAX_ENDS = 255
# More than fit the largest target. The memory plan takes quadratic time.
MAX_OPERATORS = 4096
# The sum over all operators, several times as much as fits the largest target. Operators may share a constant, so a
# small file can ask for any amount.
MAX_CONSTANT_BYTES = 16 << 20


def check_graph(path: Path, graph: Graph) -> None:
    """Refuse graphs that no pass and no operator could make runnable.

    Raises:
        HilError: the graph has custom or unknown operators, has several subgraphs, or is too large.
    """
    for operator in graph.operators:
        if reason := foreign_operator(operator.kind):
            raise Op(operator, graph.tensors, path).refuse(reason)
    if reason := several_subgraphs(graph):
        raise HilError(f"{path}: {reason}")
    if not all(1 <= len(ends) <= MAX_ENDS for ends in (graph.inputs, graph.outputs)):
        raise HilError(
            f"{path}: has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; the aot engine takes 1 to "
            f"{MAX_ENDS} of either, so export the model with as many"
        )
    if len(graph.operators) > MAX_OPERATORS:
        raise HilError(
            f"{path}: has {len(graph.operators):,} operators, the aot engine takes at most {MAX_OPERATORS:,}; use "
            "a smaller network"
        )


class Network:
    """A graph that the aot engine may be able to run; lowering checks each operator.

    The batch of `tensors` is 1. `ops` keep the index that the operators have in the file.

    Raises:
        HilError: no operator supports such a tensor, or the operators are not in order. The message names the tensor or
            the operator.
    """

    def __init__(self, path: Path, graph: Graph) -> None:
        self.inputs = graph.inputs
        self.outputs = graph.outputs
        self.tensors = [_static(path, tensor, tensor.index in graph.inputs) for tensor in graph.tensors]
        self.ops = [Op(operator, self.tensors, path) for operator in graph.operators]
        self._path = path
        self._check_order()
        for index in [*self.inputs, *self.outputs]:
            self._check_interface(self.tensors[index])

    def _check_order(self) -> None:
        """Check that every tensor is a constant, an input, or the output of exactly one earlier operator."""
        known = {tensor.index for tensor in self.tensors if tensor.data is not None}
        if known.intersection(self.inputs) or len(set(self.inputs)) != len(self.inputs):
            raise HilError(f"{self._path}: an input of the graph is constant or named twice; export the model again")
        known.update(self.inputs)
        constant_bytes = 0
        for op in self.ops:
            for x in op.present_inputs:
                constant_bytes = _check_storage(x, constant_bytes)
                if x.index not in known:
                    raise op.refuse(f"tensor {x.index} is used before it is computed; export the model again")
            for y in op.outputs:
                constant_bytes = _check_storage(y, constant_bytes)
                if y.index in known:
                    raise op.refuse(f"tensor {y.index} is written a second time; export the model again")
                known.add(y.index)
        for index in self.outputs:
            if index not in known or self.tensors[index].data is not None:
                raise HilError(
                    f"{self._path}: output tensor {index} is constant or never computed; export the model again"
                )

    def _check_interface(self, tensor: Tensor) -> None:
        place = f"{self._path}: input or output tensor {tensor.index} ({tensor.name!r})"
        if tensor.type not in IO_TYPES:
            supported = ", ".join(kind.name for kind in IO_TYPES)
            raise HilError(f"{place} is {tensor.type.name}; supported: {supported}")
        if tensor.elements == 0 or len(tensor.shape) > MAX_RANK or max(tensor.shape, default=1) > MAX_DIMENSION:
            raise HilError(
                f"{place} has the shape {list(tensor.shape)}; use at most {MAX_RANK} dimensions of 1..{MAX_DIMENSION}"
            )
        if tensor.type is TensorType.FLOAT32:
            return
        if len(tensor.scales) != 1:
            raise HilError(
                f"{place} is {tensor.type.name} with {len(tensor.scales)} scales instead of one; export the model again"
            )
        quantization = Quantization(float(tensor.scales[0]), int(tensor.zero_points[0]))
        if not quantization.suits(tensor.type):
            raise HilError(f"{place} is {tensor.type.name} with {quantization}; export the model again")


def _static(path: Path, tensor: Tensor, is_input: bool) -> Tensor:
    """Return `tensor` with 1 for each open dimension. Raise HilError if more than the batch of an input is open."""
    if is_input and -1 in tensor.shape[1:]:
        raise HilError(
            f"{path}: tensor {tensor.index} ({tensor.name!r}) has the dynamic shape {list(tensor.shape)}; "
            "only the batch may be open, so export the model with a fixed input shape"
        )
    return dataclasses.replace(tensor, shape=tuple(1 if size == -1 else size for size in tensor.shape))


def _check_storage(operand: Operand, constant_bytes: int) -> int:
    """Return `constant_bytes` plus the bytes of this constant. Raise HilError for a tensor of an unsupported kind."""
    op, tensor = operand.op, operand.tensor
    place = f"tensor {tensor.index} ({tensor.name!r})"
    if tensor.external:
        raise op.refuse(f"{place} lies outside the flatbuffer; export a model below 2 GB")
    if tensor.sparse:
        raise op.refuse(f"{place} is sparse; export the model with dense weights")
    if tensor.blockwise:
        raise op.refuse(f"{place} is quantized block by block; quantize it by channel or as a whole")
    if tensor.variable:
        raise op.refuse(f"{place} keeps state between inferences; export a stateless model")
    if tensor.elements == 0:
        raise op.refuse(f"{place} is empty: {list(tensor.shape)}; export the model again")
    constant_bytes += 0 if tensor.data is None else tensor.data.nbytes
    if constant_bytes > MAX_CONSTANT_BYTES:
        raise op.refuse(
            f"the constants up to this operator take {constant_bytes >> 20} MiB, more than fits any target; use a "
            "smaller model"
        )
    return constant_bytes
