"""An operator with its tensors, as the compiler reads it."""

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
    """A view of one operator of a graph.

    Whatever is wrong with the operator or its tensors raises the HilError that `refuse` makes: one line that names the
    file and the operator.
    """

    def __init__(self, operator: Operator, tensors: Sequence[Tensor], path: Path) -> None:
        self.index = operator.index
        self.kind = operator.kind
        self._operator = operator
        self._tensors = tensors
        self._path = path

    def refuse(self, reason: str) -> HilError:
        """The error that says why this operator cannot be compiled. Raise it."""
        return HilError(f"{self._path}: operator {self.index} ({self.kind}): {reason}")

    @contextmanager
    def refusing(self, remedy: str) -> Iterator[None]:
        """Turn a ValueError of the arithmetic inside into a refusal that ends with `remedy`."""
        try:
            yield
        except ValueError as error:
            raise self.refuse(f"{error}; {remedy}") from error

    @property
    def input_types(self) -> list[TensorType | None]:
        """The element type of each input; None for an optional input that is absent."""
        return [None if index < 0 else self._tensors[index].type for index in self._operator.inputs]

    @property
    def output_types(self) -> list[TensorType]:
        """The element type of each output."""
        return [self._tensors[index].type for index in self._operator.outputs]

    @property
    def inputs(self) -> list[Operand]:
        """All inputs. Raises HilError if one is absent."""
        return [self.input(position) for position in range(len(self._operator.inputs))]

    @property
    def present_inputs(self) -> list[Operand]:
        """All inputs except absent optional ones."""
        return [Operand(self, self._tensors[index]) for index in self._operator.inputs if index >= 0]

    @property
    def outputs(self) -> list[Operand]:
        """All outputs."""
        return [Operand(self, self._tensors[index]) for index in self._operator.outputs]

    def has_input(self, position: int) -> bool:
        """Whether the operator has an input at `position`."""
        return position < len(self._operator.inputs) and self._operator.inputs[position] >= 0

    def input(self, position: int) -> Operand:
        """The input at `position`. Raises HilError if it is absent."""
        if not self.has_input(position):
            raise self.refuse(f"input {position} is missing; export the model again")
        return Operand(self, self._tensors[self._operator.inputs[position]])

    @property
    def output(self) -> Operand:
        """The first output; the only one of most operators."""
        return Operand(self, self._tensors[self._operator.outputs[0]])

    def option(self, name: str, default: Number) -> Number:
        """An option by its name in the schema's accessors, or `default` if the operator has none.

        Raises:
            HilError: the options are those of another kind of operator.
        """
        table = OPTIONS_TABLES[self.kind]
        if self._operator.options_table not in ("", table):
            raise self.refuse(f"has {self._operator.options_table} instead of {table}; export the model again")
        return type(default)(self._operator.options.get(name, default))


@dataclass(frozen=True)
class Operand:
    """A tensor as an input or output of one operator, which a refusal names."""

    op: Op
    tensor: Tensor

    @property
    def index(self) -> int:
        """The tensor's index in the file."""
        return self.tensor.index

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its dimensions."""
        return self.tensor.shape

    @property
    def elements(self) -> int:
        """The number of its elements."""
        return self.tensor.elements

    @property
    def type(self) -> TensorType:
        """The type of its elements."""
        return self.tensor.type

    @property
    def itemsize(self) -> int:
        """The bytes of an element, in types of whole bytes."""
        assert self.type.dtype is not None
        return self.type.dtype.itemsize

    @property
    def is_constant(self) -> bool:
        """Whether the file holds its values."""
        return self.tensor.data is not None

    @property
    def quantization(self) -> Quantization:
        """The scale and zero point of an integer tensor. Raises HilError unless it has one possible pair of them."""
        scales = self.tensor.scales
        if len(scales) != 1:
            count = "no quantization" if len(scales) == 0 else f"{len(scales)} scales"
            raise self.op.refuse(f"{self._place} has {count}; it needs one scale")
        quantization = Quantization(float(scales[0]), int(self.tensor.zero_points[0]))
        if not quantization.suits(self.type):
            raise self.op.refuse(f"{self._place} has {quantization}")
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
        """The values of a constant, in its shape. Raises HilError if it is no constant, or not finite."""
        data = self.tensor.data
        if data is None:
            raise self.op.refuse(f"its {name} must be constant; tensor {self.index} is computed at run time")
        if self.type is TensorType.FLOAT32 and not np.all(np.isfinite(data)):
            raise self.op.refuse(f"its {name} hold NaN or infinity; train or export the model again")
        return data

    def integers(self, name: str) -> list[int]:
        """The values of a constant as a flat list. Raises HilError if it is no constant."""
        return [int(value) for value in self.constant(name).ravel()]

    @property
    def _place(self) -> str:
        return f"tensor {self.index} ({self.tensor.name!r})"
