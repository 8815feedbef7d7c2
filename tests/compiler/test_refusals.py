"""What the aot engine does not run is refused before anything is built, in one line that names it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.compiler_helpers import ROOT, refusal
from tflm_hil.compiler import compile_model
from tflm_hil.compiler.operators import supported
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build, unary
from tflm_hil.models.tflite_file import TensorType

FLOAT32, FLOAT16, INT8, INT32, INT64 = (
    TensorType.FLOAT32,
    TensorType.FLOAT16,
    TensorType.INT8,
    TensorType.INT32,
    TensorType.INT64,
)
X = TensorSpec([1, 4], FLOAT32, name="x")
QUANTIZED = TensorSpec([1, 4], INT8, [0.5], [0], name="q")


def dense(
    x: TensorSpec,
    weights: TensorSpec,
    y: TensorSpec,
    bias: TensorSpec | None = None,
    options: dict[str, Any] | None = None,
    inputs: Sequence[int] = (0,),
) -> bytes:
    tensors = [x, weights, y] + ([bias] if bias else [])
    operator = OperatorSpec("FULLY_CONNECTED", [0, 1, 3] if bias else [0, 1], [2], options or {})
    return build(tensors, [operator], inputs, [2])


WEIGHTS = TensorSpec([2, 4], INT8, [0.1], data=np.ones((2, 4), np.int8))
OUT = TensorSpec([1, 2], INT8, [0.5], [0])


def test_an_unknown_operator_names_the_supported_ones(tmp_path: Path) -> None:
    tensors = [X, X, X]
    operators = [OperatorSpec("RELU", [0], [1]), OperatorSpec("ROUND", [1], [2])]
    assert refusal(build(tensors, operators, [0], [2]), tmp_path) == (
        f"operator 1 (ROUND): the aot engine does not support it; supported: {', '.join(supported())}; change the model"
    )


def test_a_custom_operator_is_refused_by_its_name(tmp_path: Path) -> None:
    message = refusal(unary("CUSTOM MyOp", X, X), tmp_path)
    assert message.startswith("operator 0 (CUSTOM MyOp): it is a custom operator, whose code is not in the file")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("CUSTOM ethos-u", "Vela has compiled this file for an Arm Ethos-U"),
        ("CUSTOM FlexErf", "it is Erf of TensorFlow (Select TF ops)"),
        ("UNKNOWN_1234", "its code 1234 is newer than the supported schema"),
    ],
)
def test_an_operator_of_elsewhere_is_refused_for_what_it_is(kind: str, reason: str, tmp_path: Path) -> None:
    """Also where something else is odd, such as the scratch tensor of Vela's operator, which nothing computes."""
    operator = OperatorSpec(kind, [0, 1], [2])
    message = refusal(build([X, X, X], [operator], [0], [2]), tmp_path)
    assert message.startswith(f"operator 0 ({kind}): ")
    assert reason in message


def test_subgraphs_are_refused_for_what_they_are_for(tmp_path: Path) -> None:
    state = TensorSpec([], TensorType.RESOURCE, name="state")
    for operator, reason in (
        (OperatorSpec("CALL_ONCE", [], []), "keeps state between inferences with CALL_ONCE"),
        (OperatorSpec("VAR_HANDLE", [], [1]), "tensor 1 ('state') keeps state between inferences with VAR_HANDLE"),
        (OperatorSpec("WHILE", [0], [0]), "and switches between them with WHILE; export it without control flow"),
    ):
        tensors = [X] if operator.kind == "WHILE" else [X, state]
        message = refusal(build(tensors, [operator], [0], [0], subgraphs=2), tmp_path)
        assert message.startswith("has 2 subgraphs")
        assert reason in message


def test_options_of_another_operator_are_not_taken_for_its_own(tmp_path: Path) -> None:
    """TFLite takes the defaults then: no fused RELU."""
    operator = OperatorSpec("MUL", [0, 0], [1], {"FusedActivationFunction": 1}, "AddOptions")
    message = refusal(build([X, X], [operator], [0], [1]), tmp_path)
    assert message == "operator 0 (MUL): has AddOptions instead of MulOptions; export the model again"


def test_a_convolution_without_options_has_strides_of_zero(tmp_path: Path) -> None:
    image = TensorSpec([1, 4, 4, 1], FLOAT32)
    weights = TensorSpec([1, 1, 1, 1], FLOAT32, data=np.ones((1, 1, 1, 1), np.float32))
    operator = OperatorSpec("CONV_2D", [0, 1], [2], options_table="")
    assert "stride 0" in refusal(build([image, weights, image], [operator], [0], [2]), tmp_path)


def test_an_unsupported_type_names_the_supported_ones(tmp_path: Path) -> None:
    wide = TensorSpec([1, 4], TensorType.INT16, [0.5], [0])
    assert refusal(unary("RELU", wide, wide), tmp_path) == (
        "operator 0 (RELU): INT16 -> INT16; supported: FLOAT32 -> FLOAT32, INT8 -> INT8; convert the model to one of "
        "these"
    )


def test_an_input_of_an_unsupported_type_is_refused(tmp_path: Path) -> None:
    x = TensorSpec([1, 4], INT64, name="x")
    assert refusal(unary("RELU", x, x), tmp_path) == (
        "input or output tensor 0 ('x') is INT64; supported: FLOAT32, INT8, INT16, UINT8"
    )


def test_a_hybrid_model_is_refused_with_the_way_out(tmp_path: Path) -> None:
    y = TensorSpec([1, 2], FLOAT32)
    message = refusal(dense(X, WEIGHTS, y), tmp_path)
    assert message.startswith("operator 0 (FULLY_CONNECTED): hybrid: float32 activations with int8 weights")
    assert "full int8" in message


@pytest.mark.external
def test_a_real_hybrid_model_is_refused(tmp_path: Path) -> None:
    path = ROOT / ".." / "shared" / "data" / "refused" / "hybrid_weights.tflite"
    if not path.exists():
        pytest.skip(f"{path} is not part of the project")
    with pytest.raises(HilError, match="hybrid"):
        compile_model(path, tmp_path)


def test_a_dynamic_shape_other_than_the_batch_is_refused(tmp_path: Path) -> None:
    x = TensorSpec([1, 1], FLOAT32, name="x", signature=[-1, -1])
    assert refusal(unary("RELU", x, x), tmp_path) == (
        "tensor 0 ('x') has the dynamic shape [-1, -1]; only the batch may be open, so export the model with a fixed "
        "input shape"
    )


def test_more_operators_than_any_target_has_room_for_are_refused(tmp_path: Path) -> None:
    content = build([X, X], [OperatorSpec("RELU", [0], [1])] * 4097, [0], [1])
    assert (
        refusal(content, tmp_path) == "has 4,097 operators, the aot engine takes at most 4,096; use a smaller network"
    )


def test_several_subgraphs_are_refused(tmp_path: Path) -> None:
    assert refusal(unary("RELU", X, X, subgraphs=2), tmp_path) == (
        "has 2 subgraphs, of which only the first would run; export it with one signature"
    )


@pytest.mark.parametrize(
    ("oddity", "reason"),
    [
        ({"sparse": True}, "is sparse"),
        ({"blockwise": True, "scales": [1.0]}, "is quantized block by block"),
        ({"external": True}, "lies outside the flatbuffer"),
        ({"variable": True}, "keeps state between inferences"),
    ],
)
def test_unusual_storage_is_refused(oddity: dict[str, Any], reason: str, tmp_path: Path) -> None:
    tensor = TensorSpec([1, 4], FLOAT32, name="odd", **oddity)
    assert refusal(unary("RELU", tensor, X), tmp_path).startswith(f"operator 0 (RELU): tensor 0 ('odd') {reason}")


def test_a_sparse_constant_is_refused_before_it_is_folded(tmp_path: Path) -> None:
    packed = TensorSpec([1, 4], FLOAT16, data=np.ones(2, np.float16), sparse=True)
    operators = [OperatorSpec("DEQUANTIZE", [1], [2]), OperatorSpec("ADD", [0, 2], [3])]
    message = refusal(build([X, packed, X, X], operators, [0], [3]), tmp_path)
    assert message.startswith("operator 0 (DEQUANTIZE): tensor 1 ('t') is sparse")


def test_an_output_that_is_constant_is_refused(tmp_path: Path) -> None:
    constant = TensorSpec([1, 4], FLOAT32, data=np.ones((1, 4), np.float32))
    message = refusal(build([X, constant, X], [OperatorSpec("RESHAPE", [1], [2])], [0], [2]), tmp_path)
    assert message == "output tensor 2 is constant or never computed; export the model again"


def test_more_inputs_or_outputs_than_the_engine_counts_are_refused(tmp_path: Path) -> None:
    operator = OperatorSpec("RELU", [0], [1])
    for inputs, outputs in (([*range(256)], [1]), ([0], [1] * 256), ([], [1]), ([0], [])):
        message = refusal(build([X] * 257, [operator], inputs, outputs), tmp_path)
        assert message.startswith(f"has {len(inputs)} inputs and {len(outputs)} outputs; ")


@pytest.mark.parametrize(
    ("scale", "zero_point", "reason"),
    [(0.5, 128, "scale 0.5 and zero point 128"), (0.0, 0, "scale 0 and zero point 0")],
)
def test_an_input_that_is_quantized_impossibly_is_refused(
    scale: float, zero_point: int, reason: str, tmp_path: Path
) -> None:
    odd = TensorSpec([1, 4], INT8, [scale], [zero_point])
    message = refusal(unary("RESHAPE", odd, QUANTIZED), tmp_path)
    assert message == f"input or output tensor 0 ('t') is INT8 with {reason}; export the model again"


def test_constants_that_no_target_has_room_for_are_refused(tmp_path: Path) -> None:
    """A hundred operators that share weights would take a hundred times their size."""
    weights = TensorSpec([1024, 1024], INT8, [0.1], data=np.zeros((1024, 1024), np.int8))
    row = TensorSpec([1, 1024], INT8, [0.5], [0])
    operators = [OperatorSpec("FULLY_CONNECTED", [2 + i, 0], [3 + i]) for i in range(100)]
    message = refusal(build([weights, weights, *[row] * 101], operators, [2], [102]), tmp_path)
    assert message.startswith("operator 16 (FULLY_CONNECTED): the constants up to this operator take 17 MiB")


def test_an_empty_tensor_is_refused(tmp_path: Path) -> None:
    empty = TensorSpec([1, 0], FLOAT32, name="x")
    assert "[1, 0]" in refusal(unary("RELU", empty, empty), tmp_path)


def test_a_tensor_used_before_it_is_computed_is_refused(tmp_path: Path) -> None:
    operators = [OperatorSpec("RELU", [1], [2]), OperatorSpec("RELU", [0], [1])]
    assert "tensor 1 is used before it is computed" in refusal(build([X, X, X], operators, [0], [2]), tmp_path)


def test_a_tensor_written_twice_is_refused(tmp_path: Path) -> None:
    operators = [OperatorSpec("RELU", [0], [1]), OperatorSpec("RELU", [0], [1])]
    assert "tensor 1 is written a second time" in refusal(build([X, X], operators, [0], [1]), tmp_path)


def test_an_output_that_nothing_computes_is_refused(tmp_path: Path) -> None:
    message = refusal(build([X, X, X], [OperatorSpec("RELU", [0], [1])], [0], [2]), tmp_path)
    assert message == "output tensor 2 is constant or never computed; export the model again"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            dense(QUANTIZED, WEIGHTS, OUT, options={"FusedActivationFunction": 4}),
            "has the fused activation 4; supported",
        ),
        (dense(QUANTIZED, WEIGHTS, OUT, options={"WeightsFormat": 1}), "its weights are shuffled"),
        (dense(QUANTIZED, TensorSpec([2, 4], INT8, [0.1]), OUT, inputs=[0, 1]), "its weights must be constant"),
        (
            dense(QUANTIZED, WEIGHTS, TensorSpec([1, 3], INT8, [0.5], [0])),
            "has the output [1, 3], which does not fit weights [2, 4]",
        ),
        (dense(TensorSpec([1, 5], INT8, [0.5], [0]), WEIGHTS, OUT), "needs 1 x 4 inputs, but has [1, 5]"),
        (dense(TensorSpec([1, 4], INT8), WEIGHTS, OUT), "INT8 with 0 scales"),
        (
            dense(QUANTIZED, TensorSpec([2, 4], INT8, [0.1], [3], data=np.ones((2, 4), np.int8)), OUT),
            "its weights have a zero point other than 0",
        ),
        (
            dense(QUANTIZED, TensorSpec([2, 4], INT8, [0.1] * 4, data=np.ones((2, 4), np.int8)), OUT),
            "its weights have 4 scales along dimension 0 for 2 outputs",
        ),
        (
            dense(QUANTIZED, WEIGHTS, OUT, TensorSpec([3], INT32, data=np.zeros(3, np.int32))),
            "has 3 biases for 2 outputs",
        ),
        (
            dense(QUANTIZED, WEIGHTS, OUT, TensorSpec([2], INT64, data=np.zeros(2, np.int64))),
            "INT8 x INT8 x INT64 -> INT8; supported: FLOAT32 x FLOAT32 x FLOAT32 -> FLOAT32, INT16 x INT8 x INT32 ",
        ),
        (
            dense(QUANTIZED, WEIGHTS, TensorSpec([1, 2], INT8, [1e-12], [0])),
            "the scale factor 5e+10 is not in 0..2^31",
        ),
        (
            dense(
                X, TensorSpec([2, 4], FLOAT32, data=np.full((2, 4), np.nan, np.float32)), TensorSpec([1, 2], FLOAT32)
            ),
            "its weights contain NaN or infinity",
        ),
        (
            dense(X, TensorSpec([2, 4], FLOAT16, data=np.ones((2, 4), np.float16)), TensorSpec([1, 2], FLOAT32)),
            "FLOAT32 x FLOAT16 -> FLOAT32; supported: FLOAT32 x FLOAT32",
        ),
    ],
)
def test_a_fully_connected_layer_that_does_not_fit_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    assert reason in refusal(content, tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (unary("SOFTMAX", QUANTIZED, QUANTIZED, {"Beta": 1.0}), "its output must have scale 1/256 and zero point -128"),
        (
            unary(
                "SOFTMAX",
                TensorSpec([1, 4], INT8, [1e-9], [0]),
                TensorSpec([1, 4], INT8, [1 / 256], [-128]),
                {"Beta": 1},
            ),
            "beta 1 times its input scale is too small",
        ),
        (
            unary(
                "SOFTMAX",
                TensorSpec([1, 5000], INT8, [1], [0]),
                TensorSpec([1, 5000], INT8, [1 / 256], [-128]),
                {"Beta": 1},
            ),
            "has 5000 classes, but at most 4095 fit",
        ),
        (unary("RELU6", QUANTIZED, TensorSpec([1, 4], INT8, [0.25], [0])), "are quantized differently"),
        (unary("RELU", X, TensorSpec([1, 5], FLOAT32)), "has the output [1, 5], which does not fit the input [1, 4]"),
        (unary("RESHAPE", X, TensorSpec([5], FLOAT32)), "cannot reshape [1, 4] to [5]"),
        (unary("RELU", X, QUANTIZED), "FLOAT32 -> INT8; supported: FLOAT32 -> FLOAT32, INT8 -> INT8"),
    ],
)
def test_other_operators_that_do_not_fit_are_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    message = refusal(content, tmp_path)
    assert message.startswith("operator 0 (")
    assert reason in message
