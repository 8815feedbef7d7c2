"""Shapes that a network computes at run time because its batch is open are known when it is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.compiler_helpers import ROOT, needs_gcc, run_tflm
from support.host_kernels import run_kernels
from support.shape_networks import computed, constant, flattened
from tflm_hil.compiler import compile_model
from tflm_hil.models.folding import fold
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse

FLOAT32, INT8, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT32
SHARED = ROOT.parent / "shared" / "cases" / "tflite"


def kinds(content: bytes) -> list[str]:
    return [operator.kind for operator in fold(parse(content)).operators]


@needs_gcc
def test_flatten_of_an_open_batch_is_a_reshape_and_equals_tflm() -> None:
    content = flattened()
    assert kinds(content) == ["RESHAPE", "RELU"]
    values = np.arange(-6, 6, dtype=np.int8).reshape(1, 4, 3)
    (answer,), kernels = run_kernels(content, [values])
    assert kernels == ["aot_clamp_s8"]
    np.testing.assert_array_equal(answer, run_tflm(content, [values])[0])


@pytest.mark.parametrize(
    ("kind", "inputs", "options", "expected"),
    [
        ("STRIDED_SLICE", [[5, 6, 7], [-2], [3], [1]], {}, [6, 7]),
        ("STRIDED_SLICE", [[5, 6, 7], [0], [0], [2]], {"EndMask": 1}, [5, 7]),
        ("STRIDED_SLICE", [[5, 6, 7], [-1], [0], [1]], {"ShrinkAxisMask": 1}, 7),
        ("PACK", [5, [6]], {"ValuesCount": 2}, None),  # shapes that do not go together
        ("PACK", [[5, 6], [7, 8]], {"Axis": 1, "ValuesCount": 2}, [[5, 7], [6, 8]]),
        ("CONCATENATION", [[5], [6, 7]], {}, [5, 6, 7]),
        ("GATHER", [[5, 6, 7], [2, 0]], {}, [7, 5]),
        ("GATHER", [[5, 6, 7], [-1]], {}, None),  # TFLM does not read the last element here
        ("REDUCE_PROD", [[5, 6, 7], [0]], {}, 210),
        ("REDUCE_PROD", [[5, 6], [0]], {"KeepDims": True}, [30]),
        ("REDUCE_MAX", [[5, 7, 6], [0]], {}, 7),
        ("ADD", [[5, 6], [1]], {}, [6, 7]),
        ("ADD", [[5, 6], [1]], {"FusedActivationFunction": 1}, None),
        ("MUL", [2**30, 4], {}, 0),  # wraps around, as int32 does
        ("CAST", [[5, 6]], {}, [5, 6]),
        ("FILL", [[2, 2], 7], {}, [[7, 7], [7, 7]]),
        ("SLICE", [[5, 6, 7], [1], [-1]], {}, [6, 7]),
        ("TRANSPOSE", [[[5, 6]], [1, 0]], {}, [[5], [6]]),
        ("FLOOR_DIV", [[7, 7], 0], {}, None),
    ],
)
def test_integer_arithmetic_is_folded_or_left_alone(
    kind: str, inputs: Sequence[Any], options: dict[str, Any], expected: Any
) -> None:
    shape = np.shape(expected) if expected is not None else (2,)
    tensors = [*map(constant, inputs), computed(*shape)]
    graph = parse(
        build(tensors, [OperatorSpec(kind, [*range(len(inputs))], [len(inputs)], options)], [], [len(inputs)])
    )
    folded = fold(graph)
    data = folded.tensors[-1].data
    if expected is None:
        assert data is None
        assert folded.operators == graph.operators
    else:
        assert folded.operators == []
        assert data is not None
        assert data.dtype == np.int32
        np.testing.assert_array_equal(data, expected)


def test_a_result_that_contradicts_the_file_is_not_folded() -> None:
    tensors = [constant([5]), constant([6]), computed(3)]
    assert kinds(build(tensors, [OperatorSpec("CONCATENATION", [0, 1], [2])], [], [2])) == ["CONCATENATION"]


def test_a_small_file_cannot_ask_for_much_memory() -> None:
    """A FILL of some gigabytes, and a sum whose broadcast would take as much."""
    row, column = TensorSpec([1, 4000], INT32, data=np.ones((1, 4000), np.int32)), [2000, 1]
    tensors = [constant([2**31 - 1]), constant(1), computed(2**31 - 1), row, computed(4000, 4000)]
    tensors.append(TensorSpec(column, INT32, data=np.ones(column, np.int32)))
    operators = [OperatorSpec("FILL", [0, 1], [2]), OperatorSpec("ADD", [3, 5], [4])]
    assert kinds(build(tensors, operators, [], [2, 4])) == ["FILL", "ADD"]


def test_dimensions_that_follow_from_a_known_shape_are_known() -> None:
    """A Dense layer on a sequence: the file stores its rows as an open batch of one."""
    open_rows = TensorSpec([1, 1], FLOAT32, signature=[-1, -1])
    tensors = [
        TensorSpec([1, 16, 6], FLOAT32, signature=[-1, 16, 6]),
        constant([-1, 6]),
        open_rows,
        TensorSpec([4, 6], FLOAT32, data=np.ones((4, 6), np.float32)),
        TensorSpec([1, 4], FLOAT32, signature=[-1, 4]),
        TensorSpec([1, 4], FLOAT32, signature=[-1, 4]),
    ]
    operators = [
        OperatorSpec("RESHAPE", [0, 1], [2]),
        OperatorSpec("FULLY_CONNECTED", [2, 3, -1], [4]),
        OperatorSpec("RELU", [4], [5]),
    ]
    folded = fold(parse(build(tensors, operators, [0], [5])))
    assert [folded.tensors[index].shape for index in (2, 4, 5)] == [(16, 6), (16, 4), (16, 4)]


@pytest.mark.external
@pytest.mark.parametrize("name", ["flat_bNone_i8", "gmp_bNone_i8"])
def test_keras_models_with_an_open_batch_compile(name: str, tmp_path: Path) -> None:
    path = SHARED / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"{path} does not exist")
    compile_model(path, tmp_path)
    values = np.random.default_rng(1).integers(-128, 128, (1, 64, 3)).astype(np.int8)
    content = path.read_bytes()
    np.testing.assert_array_equal(run_kernels(content, [values])[0][0], run_tflm(content, [values])[0])
