"""The view of an operator: what is wrong with it or its tensors is refused in one line that names it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tflm_hil.compiler.arithmetic.quantization import Quantization
from tflm_hil.compiler.graph.op import Op
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse

FLOAT32, INT8, INT16, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.INT32


def op(
    tensors: Sequence[TensorSpec],
    inputs: Sequence[int] = (0,),
    kind: str = "LEAKY_RELU",
    options: dict[str, Any] | None = None,
    table: str | None = None,
) -> Op:
    """The second operator of a graph, from `inputs` to the last of `tensors`."""
    last = len(tensors) - 1
    operators = [OperatorSpec("RELU", [0], [0]), OperatorSpec(kind, inputs, [last], options or {}, table)]
    graph = parse(build(tensors, operators, [], []))
    return Op(graph.operators[1], graph.tensors, Path("model.tflite"))


def reason(action: Callable[[], Any]) -> str:
    with pytest.raises(HilError) as caught:
        action()
    message = str(caught.value)
    assert message.startswith("model.tflite: operator 1 (LEAKY_RELU): ")
    return message.removeprefix("model.tflite: operator 1 (LEAKY_RELU): ")


def test_tensors_are_seen_with_shape_type_and_quantization() -> None:
    view = op([TensorSpec([2, 3], INT16, [0.5], [0]), TensorSpec([6], INT8, [0.25], [-3])])
    x, y = view.input(0), view.output
    assert (x.index, x.shape, x.elements, x.type, x.itemsize) == (0, (2, 3), 6, INT16, 2)
    assert x.symmetric_scale == 0.5
    assert y.quantization == Quantization(0.25, -3)
    assert not x.is_constant


def test_absent_inputs_are_refused_when_they_are_asked_for() -> None:
    view = op([TensorSpec([2], FLOAT32)] * 2, [0, -1])
    assert view.input_types == [FLOAT32, None]
    assert [x.index for x in view.present_inputs] == [0]
    assert [view.has_input(position) for position in range(3)] == [True, False, False]
    for action in (lambda: view.input(1), lambda: view.inputs):
        assert reason(action) == "input 1 is missing; export the model again"
    assert reason(lambda: view.input(2)) == "input 2 is missing; export the model again"


@pytest.mark.parametrize(
    ("kind", "scales", "zero_points", "expected"),
    [
        (INT8, [], [], "tensor 0 ('x') is not quantized; quantize the model again"),
        (INT8, [0.1, 0.2], [0, 0], "tensor 0 ('x') has 2 scales instead of one; quantize the model again"),
        (
            INT8,
            [0.1],
            [128],
            "tensor 0 ('x') has the impossible scale 0.1 and zero point 128; quantize the model again",
        ),
        (
            TensorType.UINT8,
            [0.1],
            [-1],
            "tensor 0 ('x') has the impossible scale 0.1 and zero point -1; quantize the model again",
        ),
        (INT8, [0.0], [0], "tensor 0 ('x') has the impossible scale 0 and zero point 0; quantize the model again"),
    ],
)
def test_an_impossible_quantization_is_refused(
    kind: TensorType, scales: list[float], zero_points: list[int], expected: str
) -> None:
    view = op([TensorSpec([2], kind, scales, zero_points, name="x"), TensorSpec([2], INT8)])
    assert reason(lambda: view.input(0).quantization) == expected


def test_an_int16_tensor_with_a_zero_point_is_refused() -> None:
    view = op([TensorSpec([2], INT16, [0.1], [5], name="x"), TensorSpec([2], INT16)])
    assert reason(lambda: view.input(0).symmetric_scale) == (
        "tensor 0 ('x') is int16 with zero point 5 instead of 0; quantize the model again"
    )


def test_constants_have_values_and_others_are_refused() -> None:
    known = TensorSpec([2, 1], INT32, data=np.array([[3], [4]], np.int32))
    view = op([known, TensorSpec([2], FLOAT32, data=np.array([1, np.inf], np.float32)), TensorSpec([2], INT32)], [0, 1])
    assert view.input(0).integers("axes") == [3, 4]
    assert view.input(0).constant("axes").shape == (2, 1)
    assert reason(lambda: view.input(1).constant("weights")).startswith("its weights contain NaN or infinity")
    assert reason(lambda: view.output.integers("axes")) == (
        "its axes must be constant, but tensor 2 is computed at run time; export the model again"
    )


def test_options_have_the_type_of_their_default_and_belong_to_the_operator() -> None:
    tensors = [TensorSpec([2], FLOAT32)] * 2
    assert op(tensors, options={"Alpha": 0.5}).option("Alpha", 0.0) == 0.5
    assert op(tensors).option("Alpha", 0.25) == 0.0  # the default of the schema
    assert op(tensors, table="").option("Alpha", 0.25) == 0.25
    view = op(tensors, options={"FusedActivationFunction": 1}, table="AddOptions")
    assert reason(lambda: view.option("Alpha", 0.0)).startswith("has AddOptions instead of LeakyReluOptions")


def test_errors_of_the_arithmetic_become_refusals() -> None:
    view = op([TensorSpec([2], FLOAT32)] * 2)

    def overflow() -> None:
        with view.refusing("quantize the model again"):
            raise ValueError("the scale is too large")

    assert reason(overflow) == "the scale is too large; quantize the model again"

    def refused_already() -> None:
        with view.refusing("quantize the model again"):
            raise view.refuse("no")

    assert reason(refused_already) == "no"
