"""Read an operator of a .tflite: its kind, from two generations of code fields, and the numbers of its options."""

from __future__ import annotations

import inspect
import struct
from typing import Any

import flatbuffers
import tflite

from tflm_hil.models.tflite_verify import InvalidFileError

# The vtable slot of OperatorCode.builtin_code: 4 + 2 * the number of the field in the schema.
_BUILTIN_CODE_SLOT = 10
_CUSTOM = "CUSTOM "
_ETHOS_U = "ethos-u"

_KINDS = {code: name for name, code in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}
_OPTIONS = {code: name for name, code in vars(tflite.BuiltinOptions).items() if not name.startswith("_")}

# Operators that call another subgraph, and operators that keep values from one inference to the next.
CONTROL_FLOW = frozenset({"CALL", "IF", "WHILE", "STABLEHLO_CASE", "STABLEHLO_WHILE", "STABLEHLO_COMPOSITE"})
_STATEFUL_SIGNAL = ("Delay", "FilterBankSpectralSubtraction", "Framer", "OverlapAdd", "Stacker")
STATEFUL = frozenset(
    {"ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE", "VAR_HANDLE", "CUSTOM CIRCULAR_BUFFER"}
    | {f"CUSTOM Signal{name}" for name in _STATEFUL_SIGNAL}
)

# The options table of each kind. If an operator has another table, TFLite uses the defaults.
OPTIONS_TABLES = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "CONCATENATION": "ConcatenationOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "LEAKY_RELU": "LeakyReluOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "MUL": "MulOptions",
    "PACK": "PackOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "SOFTMAX": "SoftmaxOptions",
    "SPLIT": "SplitOptions",
    "SPLIT_V": "SplitVOptions",
    "STRIDED_SLICE": "StridedSliceOptions",
    "SUB": "SubOptions",
    "SUM": "ReducerOptions",
    "UNPACK": "UnpackOptions",
}


def operator_kind(code: Any) -> str:
    """Return the name of an operator code: "CONV_2D", "CUSTOM name" or "UNKNOWN_number".

    Codes from 127 on are in a newer field, smaller ones may be in either field; TFLite takes the larger number of the
    two. The accessor of the package `tflite` does not: it ignores a small number in the newer field, and reads 0, ADD.

    Raises:
        InvalidFileError: a field is negative.
    """
    table: Any = code._tab
    offset = table.Offset(_BUILTIN_CODE_SLOT)
    newer = table.Get(flatbuffers.number_types.Int32Flags, offset + table.Pos) if offset else 0
    number = max(newer, code.DeprecatedBuiltinCode())
    if min(newer, code.DeprecatedBuiltinCode()) < 0:
        raise InvalidFileError(f"it has the operator code {min(newer, code.DeprecatedBuiltinCode())}")
    kind = _KINDS.get(number, f"UNKNOWN_{number}")
    return _CUSTOM + one_line(code.CustomCode()) if kind == "CUSTOM" else kind


def foreign_operator(kind: str) -> str | None:
    """Return why an operator of this kind is unknown to every engine, and how to mend it; None if it is built in."""
    if kind.startswith("UNKNOWN_"):
        return f"its code {kind.removeprefix('UNKNOWN_')} is newer than the supported schema; convert the model again"
    if not kind.startswith(_CUSTOM):
        return None
    name = kind.removeprefix(_CUSTOM)
    if name == _ETHOS_U:
        return (
            "Vela has compiled this file for an Arm Ethos-U processor, which no target has; use the .tflite that Vela "
            "was given"
        )
    if name.startswith("Flex"):
        return (
            f"it is {name.removeprefix('Flex')} of TensorFlow (Select TF ops), which no runtime for microcontrollers "
            "has; convert with TFLITE_BUILTINS only"
        )
    return "it is a custom operator, whose code is not in the file; express it with built-in operators of TFLite"


def operator_options(table: Any) -> tuple[str, dict[str, int | float]]:
    """Return the name of an operator's options table ("Conv2DOptions") and its numbers; empty if it has none.

    Raises:
        InvalidFileError: an option lies outside the file.
    """
    union = table.BuiltinOptions()
    name = _OPTIONS.get(table.BuiltinOptionsType(), "NONE")
    accessors = getattr(tflite, name, None)
    if union is None or accessors is None:
        return "", {}
    options = accessors()
    options.Init(union.Bytes, union.Pos)
    values: dict[str, int | float] = {}
    for option, accessor in inspect.getmembers(accessors, inspect.isfunction):
        # Vectors have four accessors each. They are left out: they only repeat shapes of tensors.
        if option == "Init" or len(inspect.signature(accessor).parameters) != 1:
            continue
        if hasattr(accessors, f"{option}AsNumpy") or option.endswith(("AsNumpy", "Length", "IsNone")):
            continue
        try:
            value = accessor(options)
        except struct.error as error:
            raise InvalidFileError(f"option {option} of an operator lies outside the file") from error
        if isinstance(value, (int, float)):
            values[option] = value
    return name, values


def one_line(value: bytes | None) -> str:
    """Return `value` as one printable line, because it appears in messages and on terminals."""
    text = "" if value is None else value.decode("utf-8", errors="replace")
    return "".join(character if character.isprintable() else "?" for character in text)
