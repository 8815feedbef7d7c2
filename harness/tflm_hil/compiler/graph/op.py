"""A view of an operator: its tensors, options and constants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import Quantization
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_file import Operator, Tensor, TensorType
from tflm_hil.models.tflite_operators import OPTIONS_TABLES

Number = TypeVar("Number", int, float)


class Op:
    """One operator of a graph.

    Methods and properties that find the operator or its tensors invalid raise HilError. The message names the file and
    the operator.
    """

    def __init__(self, operator: Operator, tensors: Sequence[Tensor], path: Path) -> None:
        self.index = operator.index
        self.kind = operator.kind
        self._operator = operator
        self._tensors = tensors
        self._path = path

    def refuse(self, reason: str) -> HilError:
        """Return the error that says why this operator cannot be compiled, for the caller to raise."""
        return HilError(f"{self._path}: operator {self.index} ({self.kind}): {reason}")

    def refuse_shape(self) -> HilError:
        """Return the error for an output whose shape does not fit the first input."""
        x, y = list(self.input(0).shape), list(self.output.shape)
        return self.refuse(f"has the output {y}, which does not fit the input {x}; export the model again")

    @contextmanager
    def refusing(self, remedy: str) -> Iterator[None]:
        """Turn a ValueError in the context into a refusal that ends with `remedy`."""
        try:
            yield
        except ValueError as error:
            raise self.refuse(f"{error}; {remedy}") from error

    @property
    def input_types(self) -> list[TensorType | None]:
        """The element type of each input; None if an optional input is absent."""
        return [None if index < 0 else self._tensors[index].type for index in self._operator.inputs]

    @property
    def output_types(self) -> list[TensorType]:
        """The element type of each output."""
        return [self._tensors[index].type for index in self._operator.outputs]

    @property
    def inputs(self) -> list[Operand]:
        """All inputs. Raises HilError if an input is absent."""
        return [self.input(position) for position in range(len(self._operator.inputs))]

    @property
    def present_inputs(self) -> list[Operand]:
        """All inputs, without absent optional inputs."""
        return [Operand(self, self._tensors[index]) for index in self._operator.inputs if index >= 0]

    @property
    def outputs(self) -> list[Operand]:
        """All outputs."""
        return [Operand(self, self._tensors[index]) for index in self._operator.outputs]

    def has_input(self, position: int) -> bool:
        """Return whether the operator has an input at `position`."""
        return position < len(self._operator.inputs) and self._operator.inputs[position] >= 0

    def input(self, position: int) -> Operand:
        """Return the input at `position`. Raise HilError if it is absent."""
        if not self.has_input(position):
            raise self.refuse(f"input {position} is missing; export the model again")
        return Operand(self, self._tensors[self._operator.inputs[position]])

    @property
    def output(self) -> Operand:
        """The first output. Most operators have only one."""
        return Operand(self, self._tensors[self._operator.outputs[0]])

    def option(self, name: str, default: Number) -> Number:
        """Return an option by its name in the schema's accessors; `default` if the operator has no options.

        Raises:
            HilError: the options belong to another kind of operator.
        """
        table = OPTIONS_TABLES[self.kind]
        if self._operator.options_table not in ("", table):
            raise self.refuse(f"has {self._operator.options_table} instead of {table}; export the model again")
        return type(default)(self._operator.options.get(name, default))


@dataclass(frozen=True)
class Operand:
    """A tensor as an input or output of the operator `op`, which refusals name."""

    op: Op
    tensor: Tensor

    @property
    def index(self) -> int:
        """The index of the tensor in the file."""
        return self.tensor.index

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each dimension."""
        return self.tensor.shape

    @property
    def elements(self) -> int:
        """The number of elements."""
        return self.tensor.elements

    @property
    def type(self) -> TensorType:
        """The type of the elements."""
        return self.tensor.type

    @property
    def itemsize(self) -> int:
        """The bytes of an element. The type must have whole bytes."""
        assert self.type.dtype is not None
        return self.type.dtype.itemsize

    @property
    def is_constant(self) -> bool:
        """Whether the values are in the file."""
        return self.tensor.data is not None

    @property
    def quantization(self) -> Quantization:
        """The scale and zero point of an integer tensor. Raises HilError unless it has exactly one valid pair."""
        scales = self.tensor.scales
        if len(scales) != 1:
            fault = f"has {len(scales)} scales instead of one" if len(scales) else "is not quantized"
            raise self.op.refuse(f"{self._place} {fault}; quantize the model again")
        quantization = Quantization(float(scales[0]), int(self.tensor.zero_points[0]))
        if not quantization.suits(self.type):
            raise self.op.refuse(f"{self._place} has the impossible {quantization}; quantize the model again")
        return quantization

    @property
    def symmetric_scale(self) -> float:
        """The scale of an int16 tensor. Raises HilError if its zero point is not 0, as TFLM assumes."""
        quantization = self.quantization
        if quantization.zero_point != 0:
            raise self.op.refuse(
                f"{self._place} is int16 with zero point {quantization.zero_point} instead of 0; quantize the model "
                "again"
            )
        return quantization.scale

    def constant(self, name: str) -> npt.NDArray[Any]:
        """Return the values of a constant, in its shape. Raise HilError if it is not constant or not finite."""
        data = self.tensor.data
        if data is None:
            raise self.op.refuse(
                f"its {name} must be constant, but tensor {self.index} is computed at run time; export the model again"
            )
        if self.type is TensorType.FLOAT32 and not np.all(np.isfinite(data)):
            raise self.op.refuse(f"its {name} contain NaN or infinity; train or export the model again")
        return data

    def integers(self, name: str) -> list[int]:
        """Return the values of a constant as a flat list. Raise HilError if it is not constant."""
        return [int(value) for value in self.constant(name).ravel()]

    @property
    def _place(self) -> str:
        return f"tensor {self.index} ({self.tensor.name!r})"
