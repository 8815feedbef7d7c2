"""Read a .tflite file into a typed graph.

The file is verified first (see `tflite_verify`), so a damaged file gets one clear line. The graph is plain data, except
for constants: these are read-only views of the file's content, which several tensors may share.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

from tflm_hil.errors import HilError
from tflm_hil.models.tflite_operators import one_line, operator_kind, operator_options
from tflm_hil.models.tflite_verify import InvalidFileError, verify

MAX_ELEMENTS = 2**31 - 1
# The vtable slot of Tensor.external_buffer: 4 + 2 * the number of the field in the schema.
_EXTERNAL_BUFFER_SLOT = 24


class TensorType(IntEnum):
    """The element types of TFLite with their codes in the schema."""

    FLOAT32 = 0
    FLOAT16 = 1
    INT32 = 2
    UINT8 = 3
    INT64 = 4
    STRING = 5
    BOOL = 6
    INT16 = 7
    COMPLEX64 = 8
    INT8 = 9
    FLOAT64 = 10
    COMPLEX128 = 11
    UINT64 = 12
    RESOURCE = 13
    VARIANT = 14
    UINT32 = 15
    UINT16 = 16
    INT4 = 17
    BFLOAT16 = 18
    INT2 = 19
    UINT4 = 20
    FLOAT8_E4M3FN = 21
    FLOAT8_E5M2 = 22

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The element type in numpy; None if elements are not whole bytes or have no fixed size."""
        return _DTYPES.get(self)


_DTYPES: dict[TensorType, np.dtype[Any]] = {
    TensorType.FLOAT32: np.dtype("<f4"),
    TensorType.FLOAT16: np.dtype("<f2"),
    TensorType.INT32: np.dtype("<i4"),
    TensorType.UINT8: np.dtype("u1"),
    TensorType.INT64: np.dtype("<i8"),
    TensorType.BOOL: np.dtype("?"),
    TensorType.INT16: np.dtype("<i2"),
    TensorType.COMPLEX64: np.dtype("<c8"),
    TensorType.INT8: np.dtype("i1"),
    TensorType.FLOAT64: np.dtype("<f8"),
    TensorType.COMPLEX128: np.dtype("<c16"),
    TensorType.UINT64: np.dtype("<u8"),
    TensorType.UINT32: np.dtype("<u4"),
    TensorType.UINT16: np.dtype("<u2"),
}


@dataclass(frozen=True)
class Tensor:
    """One tensor of the graph.

    `shape` has -1 for each dimension that the file leaves open. `data` is the constant, in the shape of the tensor, or
    None for an activation. `scales` and `zero_points` are empty if the tensor is not quantized; several of them belong
    to the slices along `quantized_dimension`. If it is `blockwise`, another table holds the quantization, which is not
    read. `external` data is outside the flatbuffer, and not read either.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    type: TensorType
    scales: npt.NDArray[np.float32]
    zero_points: npt.NDArray[np.int64]
    quantized_dimension: int = 0
    data: npt.NDArray[Any] | None = None
    sparse: bool = False
    external: bool = False
    variable: bool = False
    blockwise: bool = False

    @property
    def elements(self) -> int:
        """The number of elements; an open dimension counts as 1."""
        return math.prod(self.static_shape)

    @property
    def static_shape(self) -> tuple[int, ...]:
        """The shape with 1 for each open dimension."""
        return tuple(1 if size < 0 else size for size in self.shape)


@dataclass(frozen=True)
class Operator:
    """One operator: `kind` is its name in TFLite ("FULLY_CONNECTED"); tensors are indices (-1: no optional input).

    `options` holds the numbers of its options table by the names of the schema's accessors ("FusedActivationFunction"),
    and `options_table` names that table ("AddOptions"). Both are empty if the file has no options, which means that all
    defaults hold.
    """

    index: int
    kind: str
    version: int
    inputs: list[int]
    outputs: list[int]
    options: dict[str, int | float]
    options_table: str = ""


@dataclass(frozen=True)
class Graph:
    """The first subgraph of a model; `subgraphs` is the number of subgraphs in the file."""

    tensors: list[Tensor]
    operators: list[Operator]
    inputs: list[int]
    outputs: list[int]
    description: str = ""
    subgraphs: int = 1


def read(path: Path) -> Graph:
    """Read and check the .tflite at `path`.

    Raises:
        HilError: it cannot be read, is not a .tflite, or is damaged. The message names the file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise HilError(f"{path}: cannot be read ({error.strerror}); create it or correct the path") from error
    try:
        return parse(data)
    except InvalidFileError as error:
        raise HilError(f"{path}: {error}; export the model again or fetch the file again") from error


@functools.lru_cache(maxsize=8)  # A session asks for the same few files again and again.
def parse(data: bytes) -> Graph:
    """Read and check `data`, the content of a .tflite.

    Raises:
        InvalidFileError: it is not a .tflite, or is damaged.
    """
    verify(data)
    model = tflite.Model.GetRootAsModel(data, 0)
    if model.SubgraphsLength() == 0:
        raise InvalidFileError("it holds no subgraph")
    subgraph = model.Subgraphs(0)
    tensors = [_tensor(model, subgraph.Tensors(i), i) for i in range(subgraph.TensorsLength())]
    operators = [_operator(model, subgraph.Operators(i), i) for i in range(subgraph.OperatorsLength())]
    graph = Graph(
        tensors,
        operators,
        _integers(subgraph.InputsAsNumpy()),
        _integers(subgraph.OutputsAsNumpy()),
        one_line(model.Description()),
        model.SubgraphsLength(),
    )
    _check_indices(graph)
    return graph


def _check_indices(graph: Graph) -> None:
    lists = [("the inputs of the graph", graph.inputs, 0), ("the outputs of the graph", graph.outputs, 0)]
    for operator in graph.operators:
        lists.append((f"the inputs of operator {operator.index} ({operator.kind})", operator.inputs, -1))
        lists.append((f"the outputs of operator {operator.index} ({operator.kind})", operator.outputs, 0))
    for where, indices, lowest in lists:
        for index in indices:
            if not lowest <= index < len(graph.tensors):
                raise InvalidFileError(f"{where} name tensor {index}, but there are {len(graph.tensors)}")


def _tensor(model: Any, table: Any, index: int) -> Tensor:
    name = one_line(table.Name())
    where = f"tensor {index} ({name!r})"
    try:
        kind = TensorType(table.Type())
    except ValueError as error:
        raise InvalidFileError(
            f"{where} has the element type {table.Type()}, which is newer than the supported schema"
        ) from error
    stored_shape = _integers(table.ShapeAsNumpy())
    signature = _integers(table.ShapeSignatureAsNumpy()) or stored_shape
    if len(signature) != len(stored_shape) or min(stored_shape + signature, default=0) < -1:
        raise InvalidFileError(f"{where} has the shape {stored_shape} with the signature {signature}")
    shape = tuple(-1 if open_ == -1 else size for size, open_ in zip(stored_shape, signature, strict=True))
    if stored_shape and stored_shape[0] > 1:
        shape = (stored_shape[0], *shape[1:])  # TFLM ignores the signature and runs a batch of this size.
    if math.prod(max(size, 1) for size in shape) > MAX_ELEMENTS:
        raise InvalidFileError(f"{where} has the impossible shape {list(shape)}")
    quantization = table.Quantization()
    scales, zero_points, dimension = _quantization(quantization, where)
    blockwise = quantization is not None and quantization.DetailsType() != tflite.QuantizationDetails.NONE
    sparse = table.Sparsity() is not None
    content, external = _content(model, table.Buffer(), where)
    external = external or _external_buffer(table) != 0
    if content is not None and not sparse and kind.dtype is not None:
        if -1 in shape or content.nbytes != math.prod(shape) * kind.dtype.itemsize:
            raise InvalidFileError(f"{where} is {kind.name}{list(shape)} but has {content.nbytes} bytes of data")
        content = content.view(kind.dtype).reshape(shape)
    variable = bool(table.IsVariable())
    return Tensor(
        index, name, shape, kind, scales, zero_points, dimension, content, sparse, external, variable, blockwise
    )


def _content(model: Any, number: int, where: str) -> tuple[npt.NDArray[Any] | None, bool]:
    """The bytes of buffer `number` (None if it is empty) and whether they are outside the flatbuffer."""
    if number >= model.BuffersLength():
        raise InvalidFileError(f"{where} uses buffer {number}, but there are {model.BuffersLength()}")
    buffer = model.Buffers(number)
    if buffer.DataLength() == 0:
        # 0 and 1 are no offsets: the converter writes 1 as a placeholder.
        return None, buffer.Offset() > 1
    return buffer.DataAsNumpy(), False


def _external_buffer(table: Any) -> int:
    """The number of a tensor's buffer in another file, 0 if none; the package `tflite` lacks this field."""
    offset = table._tab.Offset(_EXTERNAL_BUFFER_SLOT)
    return int(table._tab.Get(flatbuffers.number_types.Uint32Flags, offset + table._tab.Pos)) if offset else 0


def _quantization(table: Any, where: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], int]:
    if table is None or table.ScaleLength() == 0:
        return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
    scales = table.ScaleAsNumpy().astype(np.float32)
    zero_points = np.zeros(len(scales), np.int64)
    if table.ZeroPointLength() == 1:
        zero_points += table.ZeroPointAsNumpy()  # one zero point for all slices
    elif table.ZeroPointLength():
        zero_points = table.ZeroPointAsNumpy().astype(np.int64)
    if len(zero_points) != len(scales):
        raise InvalidFileError(f"{where} has {len(scales)} scales but {len(zero_points)} zero points")
    if not np.all(np.isfinite(scales) & (scales >= 0)):
        raise InvalidFileError(f"{where} has a quantization scale that is NaN, infinite or negative")
    return scales, zero_points, int(table.QuantizedDimension())


def _operator(model: Any, table: Any, index: int) -> Operator:
    if table.OpcodeIndex() >= model.OperatorCodesLength():
        raise InvalidFileError(
            f"operator {index} uses code {table.OpcodeIndex()}, but there are {model.OperatorCodesLength()}"
        )
    code = model.OperatorCodes(table.OpcodeIndex())
    options_table, options = operator_options(table)
    return Operator(
        index,
        operator_kind(code),
        code.Version(),
        _integers(table.InputsAsNumpy()),
        _integers(table.OutputsAsNumpy()),
        options,
        options_table,
    )


def _integers(vector: Any) -> list[int]:
    """A vector of the flatbuffer as a list; accessors return the number 0 for an absent vector."""
    return [] if isinstance(vector, int) else [int(value) for value in vector]
