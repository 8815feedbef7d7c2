"""What an operator of a .tflite is: its kind from two generations of code fields, and the numbers of its options."""

from __future__ import annotations

import inspect
import struct
from typing import Any

import flatbuffers
import tflite

from tflm_hil.models.tflite_verify import InvalidFileError

# The slot of OperatorCode.builtin_code in the schema, as flatbuffers counts: 4 + 2 * the field's number.
_BUILTIN_CODE_SLOT = 10
_CUSTOM = "CUSTOM "
_ETHOS_U = "ethos-u"

_KINDS = {code: name for name, code in vars(tflite.BuiltinOperator).items() if not name.startswith("_")}
_OPTIONS = {code: name for name, code in vars(tflite.BuiltinOptions).items() if not name.startswith("_")}

# Operators that hand over to another subgraph, and those that keep values from one inference to the next.
CONTROL_FLOW = frozenset({"CALL", "IF", "WHILE", "STABLEHLO_CASE", "STABLEHLO_WHILE", "STABLEHLO_COMPOSITE"})
_STATEFUL_SIGNAL = ("Delay", "FilterBankSpectralSubtraction", "Framer", "OverlapAdd", "Stacker")
STATEFUL = frozenset(
    {"ASSIGN_VARIABLE", "CALL_ONCE", "READ_VARIABLE", "VAR_HANDLE", "CUSTOM CIRCULAR_BUFFER"}
    | {f"CUSTOM Signal{name}" for name in _STATEFUL_SIGNAL}
)

# The options table that belongs to a kind; TFLite takes the defaults where an operator has another one.
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
    "STRIDED_SLICE": "StridedSliceOptions",
    "SUB": "SubOptions",
    "SUM": "ReducerOptions",
}


def operator_kind(code: Any) -> str:
    """The name of an entry of the file's operator codes: "CONV_2D", "CUSTOM name" or "UNKNOWN_number".

    Codes from 127 on are in a newer field, and those below may be in either; TFLite takes the larger of the two. The
    accessor of the tflite package does not: it ignores a small number in the newer field, and so reads ADD, which is 0.

    Raises:
        InvalidFileError: both fields are out of range.
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
    """Why no file alone says what an operator of this kind computes, with the way out; None where one does."""
    if kind.startswith("UNKNOWN_"):
        return f"its code {kind.removeprefix('UNKNOWN_')} is newer than the schema that is read here; convert it anew"
    if not kind.startswith(_CUSTOM):
        return None
    name = kind.removeprefix(_CUSTOM)
    if name == _ETHOS_U:
        return (
            "this file has been compiled by Vela for an Arm Ethos-U processor, and no target here has one; take the "
            ".tflite that went into Vela"
        )
    if name.startswith("Flex"):
        return (
            f"{name.removeprefix('Flex')} of TensorFlow itself (Select TF ops), which no microcontroller runtime has; "
            "convert with TFLite's own operators only"
        )
    return "it is a custom operator, whose code is not in the file; express it by TFLite's own operators"


def operator_options(table: Any) -> tuple[str, dict[str, int | float]]:
    """The name of the options table of an operator ("Conv2DOptions") and its numbers; empty where it has none.

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
        # Vectors come as four accessors each; the shapes they repeat are those of the tensors.
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
    """`value` on one line, whatever it holds: it ends up in messages and on terminals."""
    text = "" if value is None else value.decode("utf-8", errors="replace")
    return "".join(character if character.isprintable() else "?" for character in text)
