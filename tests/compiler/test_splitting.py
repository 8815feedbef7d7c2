"""SPLIT, SPLIT_V and UNPACK, which have several outputs, against upstream TFLM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc, refusal, run_tflm
from support.generated_programs import run_generated
from support.kernel_cases import FLOAT32, INT8, cases, check_bit_exact, seeds
from support.movement_cases import constant, shapes, tensor, types, values
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

pytestmark = needs_gcc


def split_model(kind: str, x: TensorSpec, parts: list[TensorSpec], axis: int, outputs: list[int]) -> bytes:
    """A model of one operator; its `outputs` are those parts, by number."""
    sizes = constant([part.shape[axis] for part in parts] if kind == "SPLIT_V" else [])
    tensors = [x, constant([axis]), sizes, *parts]
    inputs = {"SPLIT": [1, 0], "SPLIT_V": [0, 2, 1], "UNPACK": [0]}[kind]
    options = {"Axis": axis, "Num": len(parts)} if kind == "UNPACK" else {"NumSplits": len(parts)}
    operator = OperatorSpec(kind, inputs, list(range(3, len(tensors))), options)
    return build(tensors, [operator], [0], [3 + number for number in outputs])


@cases
@given(st.sampled_from(["SPLIT", "SPLIT_V", "UNPACK"]), seeds, types, shapes(4), st.integers(1, 5), st.data())
def test_every_output_is_exact(
    kind: str, seed: int, element: TensorType, shape: list[int], count: int, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [data.draw(st.integers(1, 5)) for _ in range(count)] if kind == "SPLIT_V" else [shape[axis]] * count
    if kind == "UNPACK":
        sizes = [1] * count
    rng = np.random.default_rng(seed)
    shape[axis] = sum(sizes)
    x = values(rng, shape, element)
    parts = np.split(x, np.cumsum(sizes)[:-1], axis)
    specs = [tensor(part.squeeze(axis).shape if kind == "UNPACK" else part.shape, element) for part in parts]
    outputs = data.draw(st.lists(st.integers(0, count - 1), min_size=1, unique=True))
    assert check_bit_exact(split_model(kind, tensor(shape, element), specs, axis, outputs), [x]) == ["aot_split"]


@pytest.mark.parametrize("keep_tensors", [False, True])
def test_outputs_that_live_for_different_times_do_not_disturb_each_other(keep_tensors: bool, tmp_path: Path) -> None:
    """The first is read late, the second at once, the third by nothing, and the fourth is an output of the network."""
    x, part = tensor([4, 6], INT8), tensor([1, 6], INT8)
    tensors = [x, constant([0]), part, part, part, part, part, part, tensor([2, 6], INT8)]
    operators = [
        OperatorSpec("SPLIT", [1, 0], [2, 3, 4, 5], {"NumSplits": 4}),
        OperatorSpec("RELU", [3], [6]),
        OperatorSpec("RELU", [2], [7]),
        OperatorSpec("CONCATENATION", [6, 7], [8], {"Axis": 0}),
    ]
    model = tmp_path / "model.tflite"
    model.write_bytes(build(tensors, operators, [0], [8, 5]))
    runs = [[values(np.random.default_rng(seed), (4, 6), INT8)] for seed in range(5)]
    for inputs, written in zip(runs, run_generated(model, tmp_path, runs, keep_tensors=keep_tensors), strict=True):
        expected = b"".join(out.tobytes() for out in run_tflm(model.read_bytes(), inputs))
        assert written.startswith(expected)


def test_a_size_may_be_the_rest(tmp_path: Path) -> None:
    tensors = [tensor([7], FLOAT32), constant([2, -1]), constant([0]), tensor([2], FLOAT32), tensor([5], FLOAT32)]
    model = tmp_path / "model.tflite"
    model.write_bytes(build(tensors, [OperatorSpec("SPLIT_V", [0, 1, 2], [3, 4], {"NumSplits": 2})], [0], [4, 3]))
    x = np.arange(7, dtype=np.float32)
    (written,) = run_generated(model, tmp_path, [[x]])
    np.testing.assert_array_equal(np.frombuffer(written, np.float32), [2, 3, 4, 5, 6, 0, 1])


def test_what_cannot_be_split_is_refused(tmp_path: Path) -> None:
    x, half = tensor([4, 3], INT8), tensor([2, 3], INT8)

    def reason(kind: str, parts: list[TensorSpec], axis: int = 0) -> str:
        return refusal(split_model(kind, x, parts, axis, [0]), tmp_path).removeprefix(f"operator 0 ({kind}): ")

    assert reason("SPLIT", [half, half], 2) == "cannot split [4, 3] along dimension [2]; export the model again"
    assert reason("SPLIT", [half] * 3).startswith("cannot split [4, 3] along dimension 0 into 3 outputs")
    assert (
        reason("SPLIT", [half, tensor([2, 4], INT8)])
        == "tensor 4 has the shape [2, 4] instead of [2, 3]; export the model again"
    )
    assert reason("SPLIT", [half, tensor([2, 3], INT8, 0.25)]).startswith("its input and outputs are quantized")
    assert reason("SPLIT_V", [half]).startswith("cannot split [4, 3] along dimension 0 into [2] for 1 outputs")
    assert reason("UNPACK", [tensor([3], INT8)]).startswith("cannot unpack [4, 3] along dimension 0 into 1 outputs")
    assert reason("UNPACK", [half] * 4).startswith("tensor 3 has the shape [2, 3] instead of [3]")
    assert reason("SPLIT", [half, tensor([2, 3], FLOAT32)]).startswith(
        "INT32 x INT8 -> INT8 x FLOAT32; supported: INT32 x FLOAT32 -> FLOAT32 x ..., "
    )
