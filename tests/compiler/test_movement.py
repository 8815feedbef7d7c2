"""PAD, CONCATENATION, TRANSPOSE, STRIDED_SLICE and RESHAPE's kin against upstream TFLM."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc
from support.generated_programs import run_generated
from support.kernel_cases import INT8, INT32, cases, check_bit_exact, scales, seeds, zero_points
from support.movement_cases import constant, shapes, tensor, types, values
from tflm_hil.compiler import compile_model
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

pytestmark = needs_gcc


def between(kind: str, x: TensorSpec, y: TensorSpec, constants: list[TensorSpec], options: Any = None) -> bytes:
    """A model of one operator: an input and some constants to an output."""
    indices = list(range(2, 2 + len(constants)))
    return build([x, y, *constants], [OperatorSpec(kind, [0, *indices], [1], options or {})], [0], [1])


@cases
@given(seeds, types, shapes(5), st.data())
def test_transpose_is_exact(seed: int, kind: TensorType, shape: list[int], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(shape))))
    model = between("TRANSPOSE", tensor(shape, kind), tensor([shape[i] for i in order], kind), [constant(order)])
    check_bit_exact(model, [values(np.random.default_rng(seed), shape, kind)])


def test_a_transpose_that_moves_no_element_is_no_code() -> None:
    model = between("TRANSPOSE", tensor([1, 5, 1, 3], INT8), tensor([5, 1, 1, 3], INT8), [constant([1, 0, 2, 3])])
    assert check_bit_exact(model, [values(np.random.default_rng(0), (1, 5, 1, 3), INT8)]) == []


@cases
@given(seeds, types, shapes(5), zero_points, st.data())
def test_pad_is_exact(seed: int, kind: TensorType, shape: list[int], zero_point: int, data: st.DataObject) -> None:
    paddings = [[data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))] for _ in shape]
    padded = [low + size + high for size, (low, high) in zip(shape, paddings, strict=True)]
    y = tensor(padded, kind, 0.5, zero_point)
    constants = [constant(paddings)]
    rng = np.random.default_rng(seed)
    if data.draw(st.booleans()):
        value = tensor([1], kind, 0.5, zero_point)
        value.data = values(rng, 1, kind)
        constants.append(value)
    model = between("PADV2" if len(constants) > 1 else "PAD", tensor(shape, kind), y, constants)
    check_bit_exact(model, [values(rng, shape, kind)])


@cases
@given(seeds, types, shapes(4), st.data())
def test_strided_slice_is_exact(seed: int, kind: TensorType, shape: list[int], data: st.DataObject) -> None:
    rank = len(shape)
    begin = [data.draw(st.integers(-size - 1, size + 1)) for size in shape]
    end = [data.draw(st.integers(-size - 1, size + 1)) for size in shape]
    strides = [data.draw(st.sampled_from([1, 1, 2, 3, -1, -2])) for _ in shape]
    masks = [data.draw(st.integers(0, 2**rank - 1)) for _ in range(2)]
    shrink = data.draw(st.just(0) | st.integers(0, 2**rank - 1))
    rng = np.random.default_rng(seed)
    x = values(rng, shape, kind)
    index: list[int | slice] = []
    for axis, size in enumerate(shape):
        first = None if masks[0] >> axis & 1 else begin[axis]
        last = None if masks[1] >> axis & 1 else end[axis]
        if shrink >> axis & 1:
            strides[axis] = 1  # what any converter writes
            index.append(0 if first is None else first)
            assume(-size <= index[-1] < size)  # type: ignore[operator]
        else:
            index.append(slice(first, last, strides[axis]))
    expected = x[tuple(index)]
    assume(expected.size)
    options = {"BeginMask": masks[0], "EndMask": masks[1], "ShrinkAxisMask": shrink}
    constants = [constant(begin), constant(end), constant(strides)]
    check_bit_exact(
        between("STRIDED_SLICE", tensor(shape, kind), tensor(expected.shape, kind), constants, options), [x]
    )


@cases
@given(seeds, types, shapes(5), st.integers(1, 5), scales, zero_points, st.data())
def test_concatenation_is_exact(
    seed: int, kind: TensorType, shape: list[int], count: int, scale: float, zero_point: int, data: st.DataObject
) -> None:
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [data.draw(st.integers(1, 4)) for _ in range(count)]
    parts = [[size if i == axis % len(shape) else other for i, other in enumerate(shape)] for size in sizes]
    whole = list(np.concatenate([np.zeros(part) for part in parts], axis).shape)
    specs = [tensor(part, kind, scale, zero_point) for part in (*parts, whole)]
    rng = np.random.default_rng(seed)
    content = [values(rng, part, kind) for part in parts]
    inputs = list(range(count))
    if count > 1 and data.draw(st.booleans()):
        # A constant, and a tensor that is used twice.
        specs[1].data = content[1]
        inputs.remove(1)
    operator = OperatorSpec("CONCATENATION", list(range(count)), [count], {"Axis": axis})
    check_bit_exact(build(specs, [operator], inputs, [count]), [content[i] for i in inputs])


@cases
@given(seeds, types, shapes(4), st.sampled_from(["RESHAPE", "SQUEEZE", "EXPAND_DIMS"]), st.data())
def test_reshape_and_its_kin_are_no_code(
    seed: int, kind: TensorType, shape: list[int], operator: str, data: st.DataObject
) -> None:
    if operator == "SQUEEZE":
        shape = [max(size, 2) for size in shape]  # without a list of dimensions it drops all of size 1
    axis = data.draw(st.integers(0, len(shape)))
    longer = [*shape[:axis], 1, *shape[axis:]]
    if operator == "SQUEEZE":
        model = between(operator, tensor(longer, kind), tensor(shape, kind), [])
        shape = longer
    elif operator == "EXPAND_DIMS":
        model = between(operator, tensor(shape, kind), tensor(longer, kind), [constant([axis])])
    else:
        model = between(operator, tensor(shape, kind), tensor(longer, kind), [constant(longer)])
    assert check_bit_exact(model, [values(np.random.default_rng(seed), shape, kind)]) == []


@pytest.mark.parametrize("kind", ["TRANSPOSE", "PAD"])
def test_an_output_may_be_a_copy_of_a_constant(kind: str, tmp_path: Path) -> None:
    content = np.arange(6, dtype=np.int8).reshape(2, 3)
    how = {"TRANSPOSE": [0, 1], "PAD": [[0, 0], [0, 0]]}[kind]
    tensors = [
        TensorSpec([2, 3], INT8, [0.1], [0]),
        TensorSpec([2, 3], INT8, [0.1], [0], content),
        TensorSpec(np.array(how).shape, INT32, data=np.array(how, np.int32)),
        TensorSpec([2, 3], INT8, [0.1], [0]),
    ]
    path = tmp_path / "model.tflite"
    path.write_bytes(build(tensors, [OperatorSpec(kind, [1, 2], [3])], [0], [3, 0]))
    given = np.full((2, 3), 7, np.int8)
    assert run_generated(path, tmp_path, [[given]]) == [content.tobytes() + given.tobytes()]


def test_a_constant_of_no_whole_bytes_may_stand_beside_the_network(tmp_path: Path) -> None:
    tensors = [
        TensorSpec([1, 4], INT8, [0.1], [0]),
        TensorSpec([1, 4], INT8, [0.1], [0]),
        TensorSpec([2, 3], TensorType.INT4, data=np.zeros(3, np.int8)),
        TensorSpec([6], TensorType.INT4),
    ]
    operators = [OperatorSpec("RESHAPE", [2], [3]), OperatorSpec("RELU", [0], [1])]
    path = tmp_path / "model.tflite"
    path.write_bytes(build(tensors, operators, [0], [1]))
    assert compile_model(path, tmp_path).arena_bytes == 4
