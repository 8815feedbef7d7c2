"""Reading a .tflite file into a typed graph.

The file is verified first (see `tflite_verify`), so a damaged one gives one clear line. What comes out is plain data,
but for the constants, which are read-only views of the file's content: any number of tensors may have the same ones.
"""

from __future__ import annotations

import inspect
import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tflite

from harness.errors import HilError
from harness.models.tflite_verify import InvalidFileError, verify

MAX_ELEMENTS = 2**31 - 1


class TensorType(IntEnum):
    """The element types of TFLite, with the codes of its schema."""

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

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """The element type in numpy; None where elements are not whole bytes or have no fixed size."""
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

_KINDS = {code: name for name, code in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}
_OPTIONS = {code: name for name, code in vars(tflite.BuiltinOptions).items() if not name.startswith("_")}


@dataclass(frozen=True)
class Tensor:
    """One tensor of the graph.

    `shape` has -1 where the file leaves a dimension open. `data` is the constant, in the tensor's shape, or None for
    an activation. `scales` and `zero_points` are empty where it is not quantised; more than one of them belong to the
    slices along `quantized_dimension`.
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

    @property
    def elements(self) -> int:
        """The number of elements; an open dimension counts as 1."""
        return math.prod(max(dimension, 1) if dimension < 0 else dimension for dimension in self.shape)


@dataclass(frozen=True)
class Operator:
    """One operator: `kind` as TFLite spells it ("FULLY_CONNECTED"), tensors by index (-1: an absent optional input).

    `options` holds the numbers of its options table by their names in the schema's accessors
    ("FusedActivationFunction"); it is empty where the file has no such table, which means every default.
    """

    index: int
    kind: str
    version: int
    inputs: list[int]
    outputs: list[int]
    options: dict[str, int | float]


@dataclass(frozen=True)
class Graph:
    """The first subgraph of a model; `subgraphs` says how many the file has."""

    tensors: list[Tensor]
    operators: list[Operator]
    inputs: list[int]
    outputs: list[int]
    description: str = ""
    subgraphs: int = 1


def read(path: Path) -> Graph:
    """Read and check the .tflite at `path`.

    Raises:
        HilError: it cannot be read, is not a .tflite, or is damaged. One line, naming the file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise HilError(f"{path}: cannot be read ({error.strerror}); create it or correct the path") from error
    try:
        return parse(data)
    except InvalidFileError as error:
        raise HilError(f"{path}: {error}; export the model again or fetch the file again") from error


def parse(data: bytes) -> Graph:
    """Like `read`, from the content of a file.

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
        _text(model.Description()),
        model.SubgraphsLength(),
    )
    _check_indices(graph)
    return graph


def _check_indices(graph: Graph) -> None:
    places = [("the graph's inputs", graph.inputs, 0), ("the graph's outputs", graph.outputs, 0)]
    for operator in graph.operators:
        places.append((f"the inputs of operator {operator.index} ({operator.kind})", operator.inputs, -1))
        places.append((f"the outputs of operator {operator.index} ({operator.kind})", operator.outputs, 0))
    for place, indices, lowest in places:
        for index in indices:
            if not lowest <= index < len(graph.tensors):
                raise InvalidFileError(f"{place} name tensor {index} of {len(graph.tensors)}")


def _tensor(model: Any, table: Any, index: int) -> Tensor:
    name = _text(table.Name())
    place = f"tensor {index} ({name!r})"
    try:
        kind = TensorType(table.Type())
    except ValueError as error:
        raise InvalidFileError(f"{place} has the unknown element type {table.Type()}") from error
    stored_shape = _integers(table.ShapeAsNumpy())
    signature = _integers(table.ShapeSignatureAsNumpy()) or stored_shape
    if len(signature) != len(stored_shape) or min(stored_shape + signature, default=0) < -1:
        raise InvalidFileError(f"{place} has the shape {stored_shape} with the signature {signature}")
    shape = tuple(-1 if open_ == -1 else size for size, open_ in zip(stored_shape, signature, strict=True))
    if stored_shape and stored_shape[0] > 1:
        shape = (stored_shape[0], *shape[1:])  # TFLM looks at nothing else: it runs a batch of so many
    if math.prod(max(size, 1) for size in shape) > MAX_ELEMENTS:
        raise InvalidFileError(f"{place} has the impossible shape {list(shape)}")
    scales, zero_points, dimension = _quantisation(table.Quantization(), place)
    sparse = table.Sparsity() is not None
    content, external = _content(model, table.Buffer(), place)
    if content is not None and not sparse and kind.dtype is not None:
        if -1 in shape or content.nbytes != math.prod(shape) * kind.dtype.itemsize:
            raise InvalidFileError(f"{place} is {kind.name}{list(shape)} but has {content.nbytes} bytes of data")
        content = content.view(kind.dtype).reshape(shape)
    return Tensor(
        index, name, shape, kind, scales, zero_points, dimension, content, sparse, external, bool(table.IsVariable())
    )


def _content(model: Any, number: int, place: str) -> tuple[npt.NDArray[Any] | None, bool]:
    """The bytes of buffer `number` (None: it has none) and whether they lie outside the flatbuffer."""
    if number >= model.BuffersLength():
        raise InvalidFileError(f"{place} uses buffer {number} of {model.BuffersLength()}")
    buffer = model.Buffers(number)
    if buffer.DataLength() == 0:
        # 0 and 1 are not offsets: the converter writes 1 as a placeholder.
        return None, buffer.Offset() > 1
    return buffer.DataAsNumpy(), False


def _quantisation(table: Any, place: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], int]:
    if table is None or table.ScaleLength() == 0:
        return np.zeros(0, np.float32), np.zeros(0, np.int64), 0
    scales = table.ScaleAsNumpy().astype(np.float32)
    zero_points = np.zeros(len(scales), np.int64)
    if table.ZeroPointLength():
        zero_points = table.ZeroPointAsNumpy().astype(np.int64)
    if len(zero_points) != len(scales):
        raise InvalidFileError(f"{place} has {len(scales)} scales but {len(zero_points)} zero points")
    if not np.all(np.isfinite(scales) & (scales >= 0)):
        raise InvalidFileError(f"{place} has a quantisation scale that is not a number, infinite or negative")
    return scales, zero_points, int(table.QuantizedDimension())


def _operator(model: Any, table: Any, index: int) -> Operator:
    if table.OpcodeIndex() >= model.OperatorCodesLength():
        raise InvalidFileError(f"operator {index} uses code {table.OpcodeIndex()} of {model.OperatorCodesLength()}")
    code = model.OperatorCodes(table.OpcodeIndex())
    # Codes below 127 may be in the old field only; TFLite itself takes the larger of the two.
    number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    kind = _KINDS.get(number, f"UNKNOWN_{number}")
    if kind == "CUSTOM":
        kind = f"CUSTOM {_text(code.CustomCode())}"
    return Operator(
        index,
        kind,
        code.Version(),
        _integers(table.InputsAsNumpy()),
        _integers(table.OutputsAsNumpy()),
        _options(table),
    )


def _options(table: Any) -> dict[str, int | float]:
    union = table.BuiltinOptions()
    accessors = getattr(tflite, _OPTIONS.get(table.BuiltinOptionsType(), "NONE"), None)
    if union is None or accessors is None:
        return {}
    options = accessors()
    options.Init(union.Bytes, union.Pos)
    values: dict[str, int | float] = {}
    for name, accessor in inspect.getmembers(accessors, inspect.isfunction):
        # Vectors come as four accessors each; the shapes they repeat are those of the tensors.
        if name == "Init" or len(inspect.signature(accessor).parameters) != 1:
            continue
        if hasattr(accessors, f"{name}AsNumpy") or name.endswith(("AsNumpy", "Length", "IsNone")):
            continue
        try:
            value = accessor(options)
        except struct.error as error:
            raise InvalidFileError(f"option {name} of an operator lies outside the file") from error
        if isinstance(value, (int, float)):
            values[name] = value
    return values


def _integers(vector: Any) -> list[int]:
    """A vector of the flatbuffer as a list; the accessors return the number 0 for an absent one."""
    return [] if isinstance(vector, int) else [int(value) for value in vector]


def _text(value: bytes | None) -> str:
    """`value` on one line, whatever it holds: it ends up in messages and on terminals."""
    text = "" if value is None else value.decode("utf-8", errors="replace")
    return "".join(character if character.isprintable() else "?" for character in text)
