"""Build .tflite files of any operators and types, including invalid ones."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import flatbuffers
import numpy as np
import tflite

from tflm_hil.models.tflite_file import TensorType
from tflm_hil.models.tflite_operators import OPTIONS_TABLES

_OPTIONS_TABLES = OPTIONS_TABLES | {
    "CAST": "CastOptions",
    "EXPAND_DIMS": "ExpandDimsOptions",
    "GATHER": "GatherOptions",
    "PAD": "PadOptions",
    "PADV2": "PadV2Options",
    "REDUCE_PROD": "ReducerOptions",
    "RESHAPE": "ReshapeOptions",
    "SHAPE": "ShapeOptions",
    "SQUEEZE": "SqueezeOptions",
    "TRANSPOSE": "TransposeOptions",
}


@dataclass
class TensorSpec:
    """A tensor to build; it is a constant if `data` is given."""

    shape: Sequence[int]
    type: TensorType
    scales: Sequence[float | np.floating[Any]] = ()
    zero_points: Sequence[int] = ()
    data: Any = None
    name: str = "t"
    quantized_dimension: int = 0
    signature: Sequence[int] | None = None
    sparse: bool = False
    variable: bool = False
    external: bool = False
    blockwise: bool = False
    buffer: int | None = None  # share the buffer of an earlier tensor, counted from 1


@dataclass
class OperatorSpec:
    """An operator to build. `options` have the names of the schema's accessors; `kind` UNKNOWN_n stands for code n."""

    kind: str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: dict[str, Any] = field(default_factory=dict)
    options_table: str | None = None  # another table than that of the kind; "" for none


def build(
    tensors: Sequence[TensorSpec],
    operators: Sequence[OperatorSpec],
    inputs: Sequence[int],
    outputs: Sequence[int],
    subgraphs: int = 1,
    codes_in: str = "both",
) -> bytes:
    """Return the bytes of a .tflite with these tensors and operators.

    `codes_in` says which fields of an operator code hold the number: "newer", "deprecated" or "both".
    """
    builder = flatbuffers.Builder(1024)
    buffers = [_table(builder, "Buffer", {})]
    tables = []
    for spec in tensors:
        content: dict[str, Any] = {}
        if spec.data is not None:
            content["Data"] = _bytes(builder, np.ascontiguousarray(spec.data).tobytes())
        if spec.external:
            content["Offset"] = 4096
        buffers.append(_table(builder, "Buffer", content))
        tables.append(_tensor(builder, spec, spec.buffer or len(buffers) - 1))
    kinds = sorted({operator.kind for operator in operators})
    ops = [_operator(builder, operator, kinds.index(operator.kind)) for operator in operators]
    graph = {
        "Tensors": _vector(builder, "SubGraph", "Tensors", tables),
        "Operators": _vector(builder, "SubGraph", "Operators", ops),
        "Inputs": _integers(builder, np.array(inputs, np.int32)),
        "Outputs": _integers(builder, np.array(outputs, np.int32)),
    }
    graphs = [_table(builder, "SubGraph", graph) for _ in range(subgraphs)]
    codes = [_code(builder, kind, codes_in) for kind in kinds]
    model = {
        "Version": 3,
        "OperatorCodes": _vector(builder, "Model", "OperatorCodes", codes),
        "Subgraphs": _vector(builder, "Model", "Subgraphs", graphs),
        "Description": builder.CreateString("built by tflm-hil"),
        "Buffers": _vector(builder, "Model", "Buffers", buffers),
    }
    builder.Finish(_table(builder, "Model", model), file_identifier=b"TFL3")
    return bytes(builder.Output())


def unary(kind: str, x: TensorSpec, y: TensorSpec, options: dict[str, Any] | None = None, subgraphs: int = 1) -> bytes:
    """Return the bytes of a .tflite with one operator that has one input and one output."""
    return build([x, y], [OperatorSpec(kind, [0], [1], options or {})], [0], [1], subgraphs)


def _table(builder: Any, name: str, fields: dict[str, Any]) -> Any:
    module = importlib.import_module(f"tflite.{name}")
    getattr(module, f"{name}Start")(builder)
    for key, value in fields.items():
        getattr(module, f"{name}Add{key}")(builder, value)
    return getattr(module, f"{name}End")(builder)


def _vector(builder: Any, table: str, name: str, offsets: Sequence[Any]) -> Any:
    getattr(importlib.import_module(f"tflite.{table}"), f"{table}Start{name}Vector")(builder, len(offsets))
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def _integers(builder: Any, values: Any) -> Any:
    return builder.CreateNumpyVector(values)


def _bytes(builder: Any, content: bytes) -> Any:
    """A vector of bytes, aligned to 16 because TFLM does not copy it."""
    builder.StartVector(1, len(content), 16)
    builder.head -= len(content)
    builder.Bytes[builder.head : builder.head + len(content)] = content
    return builder.EndVector()


def _code(builder: Any, kind: str, codes_in: str) -> Any:
    name, _, unknown = kind.split()[0].partition("UNKNOWN_")
    number = int(unknown) if unknown else getattr(tflite.BuiltinOperator, name)
    fields = {"DeprecatedBuiltinCode": min(number, 127), "BuiltinCode": number, "Version": 1}
    for field_name in {"newer": ["DeprecatedBuiltinCode"], "deprecated": ["BuiltinCode"], "both": []}[codes_in]:
        del fields[field_name]
    if kind.startswith("CUSTOM"):
        fields["CustomCode"] = builder.CreateString(kind.removeprefix("CUSTOM "))
    return _table(builder, "OperatorCode", fields)


def _tensor(builder: Any, spec: TensorSpec, buffer: int) -> Any:
    fields: dict[str, Any] = {
        "Shape": _integers(builder, np.array(spec.shape, np.int32)),
        "Type": int(spec.type),
        "Buffer": buffer,
        "Name": builder.CreateString(spec.name),
        "IsVariable": spec.variable,
    }
    if spec.signature is not None:
        fields["ShapeSignature"] = _integers(builder, np.array(spec.signature, np.int32))
    if len(spec.scales):
        quantization = {
            "Scale": _integers(builder, np.array(spec.scales, np.float32)),
            "ZeroPoint": _integers(builder, np.array(spec.zero_points or [0] * len(spec.scales), np.int64)),
            "DetailsType": int(spec.blockwise),
            "QuantizedDimension": spec.quantized_dimension,
        }
        fields["Quantization"] = _table(builder, "QuantizationParameters", quantization)
    if spec.sparse:
        fields["Sparsity"] = _table(builder, "SparsityParameters", {})
    return _table(builder, "Tensor", fields)


def _operator(builder: Any, operator: OperatorSpec, code: int) -> Any:
    fields: dict[str, Any] = {
        "OpcodeIndex": code,
        "Inputs": _integers(builder, np.array(operator.inputs, np.int32)),
        "Outputs": _integers(builder, np.array(operator.outputs, np.int32)),
    }
    name = _OPTIONS_TABLES.get(operator.kind, "") if operator.options_table is None else operator.options_table
    if name:
        fields["BuiltinOptions"] = _table(builder, name, operator.options)
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, name)
    return _table(builder, "Operator", fields)
