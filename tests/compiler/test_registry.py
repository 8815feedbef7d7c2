"""Kernels are found by the operator and its element types, and refusals name what there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from tflm_hil.compiler.graph.op import Op
from tflm_hil.compiler.kernel_call import KernelCall
from tflm_hil.compiler.operators import registry, supported
from tflm_hil.compiler.operators.registry import FLOAT32, INT8, INT16, INT32, INT64, OneOf, kernel, lower
from tflm_hil.compiler.operators.table import BEGIN, END, renewed, table
from tflm_hil.errors import HilError
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry without kernels."""
    monkeypatch.setattr(registry, "_kernels", {})


def op(kind: str, inputs: Sequence[TensorType | None], outputs: Sequence[TensorType]) -> Op:
    """An operator with these types; None stands for an absent input."""
    tensors = [TensorSpec([2], each) for each in (*inputs, *outputs) if each is not None]
    numbers = iter(range(len(tensors)))
    taken = [next(numbers) if each is not None else -1 for each in inputs]
    graph = parse(build(tensors, [OperatorSpec(kind, taken, list(numbers))], [], []))
    return Op(graph.operators[0], graph.tensors, Path("model.tflite"))


def register(kind: str, inputs: registry.Types, outputs: registry.Types, name: str) -> None:
    """A kernel that tells by its name which one was taken."""

    @kernel(kind, inputs=inputs, outputs=outputs)
    def lowering(op: Op) -> KernelCall:
        return KernelCall(op, (), (), kernel=name)


def refusal(op: Op) -> str:
    with pytest.raises(HilError) as caught:
        lower(op)
    return str(caught.value)


def test_the_types_decide_which_kernel_is_called() -> None:
    register("ADD", (FLOAT32, FLOAT32), (FLOAT32,), "f32")
    register("ADD", (INT8, INT8), (INT8,), "s8")
    assert lower(op("ADD", [INT8, INT8], [INT8])).kernel == "s8"
    assert lower(op("ADD", [FLOAT32, FLOAT32], [FLOAT32])).kernel == "f32"


def test_an_optional_input_may_be_absent_but_not_of_another_type() -> None:
    register("FULLY_CONNECTED", (INT8, INT8, INT32), (INT8,), "s8")
    assert lower(op("FULLY_CONNECTED", [INT8, INT8], [INT8])).kernel == "s8"
    assert lower(op("FULLY_CONNECTED", [INT8, INT8, None], [INT8])).kernel == "s8"
    assert lower(op("FULLY_CONNECTED", [INT8, INT8, INT32, None], [INT8])).kernel == "s8"
    for inputs in ([INT8, INT8, INT64], [INT8, INT8, INT32, INT32]):
        types = " x ".join(kind.name for kind in inputs)
        assert refusal(op("FULLY_CONNECTED", inputs, [INT8])) == (
            f"model.tflite: operator 0 (FULLY_CONNECTED): {types} -> INT8; supported: INT8 x INT8 x INT32 -> INT8; "
            "convert the model to one of these"
        )


def test_the_number_of_inputs_and_outputs_is_part_of_the_types() -> None:
    register("RELU", (INT8,), (INT8,), "s8")
    assert "INT8 x INT8 -> INT8; supported: INT8 -> INT8;" in refusal(op("RELU", [INT8, INT8], [INT8]))
    assert "INT8 -> INT8 x INT8; supported: INT8 -> INT8;" in refusal(op("RELU", [INT8], [INT8, INT8]))
    assert "INT8 -> ; supported" in refusal(op("RELU", [INT8], []))


def test_a_final_ellipsis_stands_for_any_number_of_that_type() -> None:
    register("PACK", (INT8, ...), (INT8,), "pack")
    register("SPLIT", (INT32, INT8), (INT8, ...), "split")
    for count in (1, 2, 5):
        assert lower(op("PACK", [INT8] * count, [INT8])).kernel == "pack"
        assert lower(op("SPLIT", [INT32, INT8], [INT8] * count)).kernel == "split"
    assert "INT8 x INT16 -> INT8; supported: INT8 x ... -> INT8;" in refusal(op("PACK", [INT8, INT16], [INT8]))
    assert "-> INT8 x INT16; supported: INT32 x INT8 -> INT8 x ...;" in refusal(
        op("SPLIT", [INT32, INT8], [INT8, INT16])
    )
    assert "supported" in refusal(op("SPLIT", [INT32, INT8], []))


def test_one_of_several_types_is_the_same_one_everywhere() -> None:
    some = OneOf((INT8, FLOAT32))
    register("TRANSPOSE", (some, INT32), (some,), "move")
    assert [str(signature) for signature in supported()["TRANSPOSE"]] == [
        "FLOAT32 x INT32 -> FLOAT32",
        "INT8 x INT32 -> INT8",
    ]
    assert lower(op("TRANSPOSE", [INT8, INT32], [INT8])).kernel == "move"
    assert "INT8 x INT32 -> FLOAT32; supported" in refusal(op("TRANSPOSE", [INT8, INT32], [FLOAT32]))


def test_an_unknown_operator_is_refused_with_those_there_are() -> None:
    register("ADD", (INT8, INT8), (INT8,), "add")
    register("ABS", (INT8,), (INT8,), "abs")
    assert refusal(op("ROUND", [INT8], [INT8])) == (
        "model.tflite: operator 0 (ROUND): the aot engine does not support it; supported: ABS, ADD; change the model"
    )


def test_two_kernels_for_the_same_types_are_a_mistake() -> None:
    register("ADD", (INT8, INT8), (INT8,), "one")
    with pytest.raises(ValueError, match="ADD INT8 x INT8 -> INT8 is registered twice"):
        register("ADD", (OneOf((INT8, INT16)), OneOf((INT8, INT16))), (INT8,), "other")


def test_the_table_lists_every_signature_and_keeps_the_rest_of_the_page() -> None:
    register("ADD", (INT8, INT8), (INT8,), "s8")
    register("ADD", (FLOAT32, FLOAT32), (FLOAT32,), "f32")
    page = renewed(f"before\n{BEGIN}what was there{END}after\n")
    assert page == f"before\n{BEGIN}{table()}{END}after\n"
    assert page.splitlines()[-3] == "| `ADD` | `float32 x float32 -> float32`<br>`int8 x int8 -> int8` |"
    assert renewed(page) == page
