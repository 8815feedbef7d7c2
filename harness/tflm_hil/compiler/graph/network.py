"""The graph as the compiler works on it: checked as a whole, constants folded, tensors looked up by index."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import Quantization
from tflm_hil.errors import HilError
from tflm_hil.models.folding import fold
from tflm_hil.models.graph_checks import several_subgraphs
from tflm_hil.models.tflite_file import Graph, Operator, Tensor, TensorType
from tflm_hil.models.tflite_operators import OPTIONS_TABLES, foreign_operator

# What hil_tensor_t can describe, and how many of them there can be (firmware/lib/engine/engine.h); so can HELLO.
MAX_RANK = 6
MAX_DIMENSION = 2**16 - 1
IO_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.UINT8)
MAX_ENDS = 255
# More than fit the largest target; the effort of the memory plan grows with their square.
MAX_OPERATORS = 4096
# Of all operators together, some times more than the largest target has room for. A small file can ask for any amount,
# because many operators may share a constant.
MAX_CONSTANT_BYTES = 16 << 20


class Network:
    """A graph that the aot engine may be able to run; the operators check the rest when they are lowered.

    `tensors` has the batch set to 1, and constants are folded (`tflm_hil.models.folding`); the operators that are left
    keep the index that they have in the file.

    Raises:
        HilError: the graph is of a kind that no operator could rescue. One line, naming the tensor or operator.
    """

    def __init__(self, path: Path, graph: Graph) -> None:
        self.path = path
        for operator in graph.operators:
            if reason := foreign_operator(operator.kind):
                raise self.refuse(operator, reason)
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
        self._constant_bytes = 0
        graph = fold(graph)
        self.inputs = graph.inputs
        self.outputs = graph.outputs
        self.operators = graph.operators
        self.tensors = [self._static(tensor) for tensor in graph.tensors]
        self._check_order()
        for index in [*self.inputs, *self.outputs]:
            self._check_interface(self.tensors[index])

    def refuse(self, operator: Operator, reason: str) -> HilError:
        """The error that says why `operator` cannot be compiled. Raise it."""
        return HilError(f"{self.path}: operator {operator.index} ({operator.kind}): {reason}")

    def tensor(self, operator: Operator, position: int) -> Tensor:
        """Input `position` of `operator`. Raises HilError where it is absent."""
        if position >= len(operator.inputs) or operator.inputs[position] < 0:
            raise self.refuse(operator, f"input {position} is missing; export the model again")
        return self.tensors[operator.inputs[position]]

    def output(self, operator: Operator) -> Tensor:
        """The only output of `operator`. Raises HilError where it has none or several."""
        if len(operator.outputs) != 1:
            raise self.refuse(operator, f"has {len(operator.outputs)} outputs instead of one; export the model again")
        return self.tensors[operator.outputs[0]]

    def constant(self, operator: Operator, position: int, name: str, kind: TensorType) -> npt.NDArray[Any]:
        """The data of the constant input `position`. Raises HilError where it is no constant or of another type."""
        tensor = self.tensor(operator, position)
        if tensor.data is None:
            raise self.refuse(operator, f"its {name} must be constant; tensor {tensor.index} is computed at run time")
        if tensor.type != kind:
            raise self.refuse(operator, f"its {name} are {tensor.type.name}; supported here: {kind.name}")
        if kind is TensorType.FLOAT32 and not np.all(np.isfinite(tensor.data)):
            raise self.refuse(operator, f"its {name} hold NaN or infinity; train or export the model again")
        return tensor.data

    def integers(self, operator: Operator, position: int, name: str) -> list[int]:
        """The constant input `position` as a flat list of int32. Raises HilError as `constant` does."""
        return [int(value) for value in self.constant(operator, position, name, TensorType.INT32).ravel()]

    def quantization(self, operator: Operator, tensor: Tensor) -> Quantization:
        """The scale and zero point of an integer tensor. Raises HilError where it has none, several, or odd ones."""
        if len(tensor.scales) != 1:
            count = "no quantization" if len(tensor.scales) == 0 else f"{len(tensor.scales)} scales"
            raise self.refuse(operator, f"tensor {tensor.index} ({tensor.name!r}) has {count}; it needs one scale")
        quantization = Quantization(float(tensor.scales[0]), int(tensor.zero_points[0]))
        if not _possible(quantization, tensor.type):
            raise self.refuse(operator, f"tensor {tensor.index} ({tensor.name!r}) has {_spelled(quantization)}")
        return quantization

    def option(self, operator: Operator, name: str, default: int | float) -> int | float:
        """An option of `operator`, `default` where it has none. Raises HilError where they are another operator's."""
        table = OPTIONS_TABLES[operator.kind]
        if operator.options_table not in ("", table):
            raise self.refuse(operator, f"has {operator.options_table} instead of {table}; export the model again")
        return operator.options.get(name, default)

    def _static(self, tensor: Tensor) -> Tensor:
        """`tensor` with the batch set to 1, and so every dimension that follows from it but those that are known."""
        if tensor.index in self.inputs and -1 in tensor.shape[1:]:
            raise HilError(
                f"{self.path}: tensor {tensor.index} ({tensor.name!r}) has the dynamic shape {list(tensor.shape)}; "
                "only the batch may be open, so export the model with a fixed input shape"
            )
        return dataclasses.replace(tensor, shape=tuple(1 if size == -1 else size for size in tensor.shape))

    def _check_order(self) -> None:
        """Every tensor is a constant, an input, or the output of exactly one earlier operator."""
        known = {tensor.index for tensor in self.tensors if tensor.data is not None}
        if known.intersection(self.inputs) or len(set(self.inputs)) != len(self.inputs):
            raise HilError(f"{self.path}: an input of the graph is constant or named twice; export the model again")
        known.update(self.inputs)
        for operator in self.operators:
            for index in operator.inputs:
                if index >= 0:
                    self._check_storage(operator, self.tensors[index])
                    if index not in known:
                        raise self.refuse(operator, f"tensor {index} is used before it is computed; export it again")
            for index in operator.outputs:
                self._check_storage(operator, self.tensors[index])
                if index in known:
                    raise self.refuse(operator, f"tensor {index} is written a second time; export the model again")
                known.add(index)
        for index in self.outputs:
            if index not in known or self.tensors[index].data is not None:
                raise HilError(f"{self.path}: output tensor {index} is constant or never computed; export it again")

    def _check_storage(self, operator: Operator, tensor: Tensor) -> None:
        place = f"tensor {tensor.index} ({tensor.name!r})"
        if tensor.external:
            raise self.refuse(operator, f"{place} lies outside the flatbuffer; export a model below 2 GB")
        if tensor.sparse:
            raise self.refuse(operator, f"{place} is sparse; export the model with dense weights")
        if tensor.blockwise:
            raise self.refuse(operator, f"{place} is quantized block by block; quantize it by channel or as a whole")
        if tensor.variable:
            raise self.refuse(operator, f"{place} keeps state between inferences; export a stateless model")
        if tensor.elements == 0:
            raise self.refuse(operator, f"{place} is empty: {list(tensor.shape)}; export the model again")
        self._constant_bytes += 0 if tensor.data is None else tensor.data.nbytes
        if self._constant_bytes > MAX_CONSTANT_BYTES:
            raise self.refuse(
                operator,
                f"the constants of the operators up to here take {self._constant_bytes >> 20} MiB, more than any "
                "target has room for; use a smaller model",
            )

    def _check_interface(self, tensor: Tensor) -> None:
        place = f"{self.path}: input or output tensor {tensor.index} ({tensor.name!r})"
        if tensor.type not in IO_TYPES:
            supported = ", ".join(kind.name for kind in IO_TYPES)
            raise HilError(f"{place} is {tensor.type.name}; the aot engine takes {supported}")
        if tensor.elements == 0 or len(tensor.shape) > MAX_RANK or max(tensor.shape, default=1) > MAX_DIMENSION:
            raise HilError(
                f"{place} has the shape {list(tensor.shape)}; at most {MAX_RANK} dimensions of 1..{MAX_DIMENSION}"
            )
        if tensor.type is TensorType.FLOAT32:
            return
        if len(tensor.scales) != 1:
            raise HilError(
                f"{place} is {tensor.type.name} with {len(tensor.scales)} scales instead of one; export the model again"
            )
        quantization = Quantization(float(tensor.scales[0]), int(tensor.zero_points[0]))
        if not _possible(quantization, tensor.type):
            raise HilError(f"{place} is {tensor.type.name} with {_spelled(quantization)}; export the model again")


def _possible(quantization: Quantization, kind: TensorType) -> bool:
    """Whether integers of this type can be quantized so."""
    assert kind.dtype is not None
    limits = np.iinfo(kind.dtype)
    return quantization.scale > 0 and bool(limits.min <= quantization.zero_point <= limits.max)


def _spelled(quantization: Quantization) -> str:
    return f"scale {quantization.scale:g} and zero point {quantization.zero_point}"
