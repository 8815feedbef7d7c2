"""What operators refuse at build time: shapes, options and quantizations that TFLM would not run, or run wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflm_hil.compiler import compile_model
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

FLOAT32, INT8, INT16, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.INT32


def real(*shape: int) -> TensorSpec:
    return TensorSpec(shape, FLOAT32)


def int8(*shape: int, scale: float = 0.5, zero: int = 0) -> TensorSpec:
    return TensorSpec(shape, INT8, [scale], [zero])


def int16(*shape: int, scale: float = 0.5) -> TensorSpec:
    return TensorSpec(shape, INT16, [scale], [0])


def whole(*values: int) -> TensorSpec:
    return TensorSpec([len(values)], INT32, data=np.array(values, np.int32))


def refusal(kind: str, tensors: Sequence[TensorSpec], options: dict[str, Any], folder: Path) -> str:
    """Why the operator from the first tensors to the last is refused. Those without data are inputs."""
    count = len(tensors) - 1
    inputs = [i for i in range(count) if tensors[i].data is None]
    path = folder / "model.tflite"
    path.write_bytes(build(tensors, [OperatorSpec(kind, list(range(count)), [count], options)], inputs, [count]))
    with pytest.raises(HilError) as caught:
        compile_model(path, folder)
    message = str(caught.value)
    assert "\n" not in message
    place, _, reason = message.partition(f" ({kind}): ")
    assert place == f"{path}: operator 0"
    return reason


FILTER = {"FilterHeight": 2, "FilterWidth": 2, "StrideH": 2, "StrideW": 2, "Padding": 1}
ORDINARY = "export the model again"
QUANTIZE = "quantize the model again"


@pytest.mark.parametrize(
    ("kind", "tensors", "options", "reasons"),
    [
        ("ADD", [real(2, 3), real(2), real(2, 3)], {}, ["[2, 3] and [2] do not broadcast", ORDINARY]),
        ("ADD", [real(2, 3), real(3), real(3)], {}, ["has the output shape [3] instead of [2, 3]"]),
        (
            "ADD",
            [real(2), int8(2), real(2)],
            {},
            ["FLOAT32 x INT8 -> FLOAT32; supported", "one of these"],
        ),
        ("ADD", [real(2), real(2), real(2)], {"FusedActivationFunction": 4}, ["has the fused activation 4"]),
        ("ADD", [int8(2), int8(2), int8(2, scale=1e-7)], {}, ["is not in 0..1/2", QUANTIZE]),
        ("SUB", [int8(2), int8(2), int8(2, scale=1e-7)], {}, ["is not in 0..1/2", QUANTIZE]),
        ("MUL", [int8(2), int8(2), int8(2, scale=1e-12)], {}, ["is not in 0..2^31", QUANTIZE]),
        ("MUL", [int16(2), int16(2), int16(2, scale=0.2)], {}, ["1.25 is not below 1", "overflow", QUANTIZE]),
        ("AVERAGE_POOL_2D", [real(4, 4), real(2, 2)], FILTER, ["has the shapes [4, 4] and [2, 2], but needs images"]),
        ("MAX_POOL_2D", [real(2, 4, 4, 1), real(2, 2, 2, 1)], FILTER, ["has a batch of 2"]),
        (
            "MAX_POOL_2D",
            [real(1, 4, 4, 1), real(1, 2, 2, 2)],
            FILTER,
            ["has the output [1, 2, 2, 2], which does not fit the input [1, 4, 4, 1]"],
        ),
        (
            "MAX_POOL_2D",
            [real(1, 4, 4, 1), real(1, 3, 2, 1)],
            FILTER,
            ["has the output [1, 3, 2, 1], which does not fit the input [1, 4, 4, 1]"],
        ),
        ("MAX_POOL_2D", [real(1, 4, 4, 1), real(1, 2, 2, 1)], FILTER | {"StrideH": 0}, ["stride 0"]),
        (
            "AVERAGE_POOL_2D",
            [int8(1, 4, 4, 1), int8(1, 2, 2, 1, zero=1)],
            FILTER,
            ["are quantized differently, which TFLM refuses"],
        ),
        ("MEAN", [real(2, 3), whole(2), real(2)], {}, ["cannot reduce dimensions [2] of [2, 3]"]),
        ("MEAN", [real(2, 3), whole(1), real(2)], {"KeepDims": True}, ["has the output shape [2] instead of [2, 1]"]),
        ("PAD", [real(2, 3), whole(1, 0, 0), real(3, 3)], {}, ["cannot pad [2, 3] by [1, 0, 0]"]),
        ("PAD", [real(2), whole(-1, 2), real(3)], {}, ["cannot pad [2] by [-1, 2]"]),
        ("PAD", [real(2), whole(1, 1), real(3)], {}, ["tensor 2 has the shape [3] instead of [4]"]),
        (
            "PADV2",
            [int8(2), whole(1, 1), TensorSpec([1], INT8, [0.25], [0], np.zeros(1, np.int8)), int8(4)],
            {},
            ["its padding value and output are quantized differently"],
        ),
        ("CONCATENATION", [real(2), real(2), real(4)], {"Axis": 1}, ["along dimension 1"]),
        ("CONCATENATION", [real(2), real(2), real(5)], {"Axis": 0}, ["has inputs that do not fill the output [5]"]),
        ("CONCATENATION", [real(2, 2), real(2, 3), real(4, 2)], {"Axis": 0}, ["cannot join [2, 3] to [4, 2]"]),
        ("CONCATENATION", [int8(2), int8(2, zero=1), int8(4)], {"Axis": 0}, ["are quantized differently"]),
        (
            "CONCATENATION",
            [real(2), real(2), real(4)],
            {"Axis": 0, "FusedActivationFunction": 1},
            ["has a fused activation, which TFLM refuses"],
        ),
        ("TRANSPOSE", [real(2, 3), whole(0, 0), real(2, 2)], {}, ["cannot order the dimensions of [2, 3] as [0, 0]"]),
        ("TRANSPOSE", [real(2, 3), whole(1, 0), real(2, 3)], {}, ["tensor 2 has the shape [2, 3] instead of [3, 2]"]),
        (
            "STRIDED_SLICE",
            [real(4), whole(0), whole(4), whole(1), real(4)],
            {"EllipsisMask": 1},
            ["which TFLM does not support; use plain slices"],
        ),
        ("STRIDED_SLICE", [real(4), whole(0), whole(4), whole(0), real(4)], {}, ["cannot slice [4] by [0]:[4]:[0]"]),
        (
            "STRIDED_SLICE",
            [real(4), whole(0), whole(4), whole(2), real(4)],
            {},
            ["tensor 4 has the shape [4] instead of [2]"],
        ),
        (
            "STRIDED_SLICE",
            [real(4), whole(4), whole(5), whole(1), real()],
            {"ShrinkAxisMask": 1},
            ["has index 4 of 4"],
        ),
        ("LOGISTIC", [int8(2), int8(2)], {}, ["its output must have scale 1/256 and zero point -128"]),
        ("LOGISTIC", [int8(2, scale=1e-9), int8(2, scale=1 / 256, zero=-128)], {}, ["scale 1e-09 is too small"]),
        ("TANH", [int8(2), int8(2)], {}, ["its output must have scale 1/128 and zero point 0"]),
        ("LEAKY_RELU", [int8(2), int8(2)], {"Alpha": float("nan")}, ["has the slope nan"]),
        ("HARD_SWISH", [int8(2, scale=100), int8(2, scale=1e-3)], {}, ["are too different", QUANTIZE]),
        ("DEQUANTIZE", [real(2), real(2)], {}, ["FLOAT32 -> FLOAT32; supported: INT16 -> FLOAT32, INT8 -> FLOAT32"]),
    ],
)
def test_what_does_not_fit_is_refused(
    kind: str, tensors: list[TensorSpec], options: dict[str, Any], reasons: list[str], tmp_path: Path
) -> None:
    message = refusal(kind, tensors, options, tmp_path)
    for reason in reasons:
        assert reason in message
