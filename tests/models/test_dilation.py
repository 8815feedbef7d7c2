"""Keras writes a Conv1D with dilation as three operators; TFLM computes only a part of them if the batch is open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.compiler_helpers import needs_gcc, run_tflm
from support.host_kernels import run_kernels
from tflm_hil.compiler import compile_model
from tflm_hil.engines.tflm import sources as tflm_sources
from tflm_hil.errors import HilError
from tflm_hil.models.folding import fold
from tflm_hil.models.reference import Reference
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType, parse

FLOAT32, INT8, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT32
CHANNELS, OUTPUTS = 2, 3
ZERO = 5


def constant(values: Any) -> TensorSpec:
    data = np.array(values, np.int32)
    return TensorSpec(data.shape, INT32, data=data)


def dilated(
    length: int = 9,
    kernel: int = 3,
    rate: int = 2,
    same: bool = True,
    kind: TensorType = INT8,
    column: bool = False,
    open_batch: bool = False,
    padding: int = 1,
    watched: bool = False,
) -> bytes:
    """A .tflite like those that the converter makes of a Conv1D with dilation, on a series of `length` samples.

    The series is a row, or a `column`, of an image. With an open batch, the file stores a batch of 1. `padding` is the
    padding of the inner convolution; the converter writes VALID. `watched` makes the inner result an output too.
    """
    span = (kernel - 1) * rate
    before, after = (span // 2, span - span // 2) if same else (0, 0)
    more = -(length + before + after) % rate
    part = (length + before + after + more) // rate
    outputs = length + before + after - span
    rng = np.random.default_rng(7)
    batch = 1 if open_batch else rate

    def image(count: int, size: int, channels: int) -> list[int]:
        return [count, size, 1, channels] if column else [count, 1, size, channels]

    def tensor(shape: list[int], scale: float, zero_point: int, data: Any = None) -> TensorSpec:
        quantization = ([], []) if kind is FLOAT32 else ([scale], [zero_point])
        signature = [-1, *shape[1:]] if open_batch and data is None else None
        return TensorSpec(shape, kind, *quantization, data=data, signature=signature)

    weights = rng.integers(-127, 128, image(OUTPUTS, kernel, CHANNELS)).astype(
        np.float32 if kind is FLOAT32 else np.int8
    )
    tensors = [
        tensor([1, length, CHANNELS], 0.05, ZERO),
        constant([rate]),
        constant([[before, after + more]]),
        constant([[0, more]]),
        constant(-2 if column else -3),
        tensor([batch, part, CHANNELS], 0.05, ZERO),
        tensor(image(batch, part, CHANNELS), 0.05, ZERO),
        tensor(list(weights.shape), 0.01, 0, weights),
        tensor(image(batch, part - kernel + 1, OUTPUTS), 0.2, -7),
        constant([-1, part - kernel + 1, OUTPUTS]),
        tensor([batch, part - kernel + 1, OUTPUTS], 0.2, -7),
        tensor([1, outputs, OUTPUTS], 0.2, -7),
        TensorSpec([OUTPUTS], INT32, [0.05 * 0.01], [0], data=np.array([-900, 0, 500], np.int32)),
    ]
    if kind is FLOAT32:
        tensors[-1] = TensorSpec([OUTPUTS], FLOAT32, data=np.array([-9, 0, 5], np.float32))
    operators = [
        OperatorSpec("SPACE_TO_BATCH_ND", [0, 1, 2], [5]),
        OperatorSpec("EXPAND_DIMS", [5, 4], [6]),
        OperatorSpec("CONV_2D", [6, 7, 12], [8], {"StrideH": 1, "StrideW": 1, "Padding": padding}),
        OperatorSpec("RESHAPE", [8, 9], [10]),
        OperatorSpec("BATCH_TO_SPACE_ND", [10, 1, 3], [11]),
    ]
    return build(tensors, operators, [0], [8, 11] if watched else [11])


def values(length: int, kind: TensorType) -> Any:
    rng = np.random.default_rng(length + 1)
    if kind is FLOAT32:
        return rng.normal(0, 1, (1, length, CHANNELS)).astype(np.float32)
    return rng.integers(-128, 128, (1, length, CHANNELS)).astype(np.int8)


def tflm(
    x: Any, kernel: int = 3, rate: int = 2, same: bool = True, kind: TensorType = INT8, column: bool = False
) -> Any:
    """TFLM's answer for `x`, padded here because TFLM pads with whatever its memory holds."""
    span = (kernel - 1) * rate
    before, after = (span // 2, span - span // 2) if same else (0, 0)
    outputs = x.shape[1] + before + after - span
    after += -(x.shape[1] + before + after) % rate
    padded = np.pad(x, [(0, 0), (before, after), (0, 0)], constant_values=0 if kind is FLOAT32 else ZERO)
    (answer,) = run_tflm(dilated(padded.shape[1], kernel, rate, False, kind, column), [padded])
    return answer[:, :outputs]


def kinds(content: bytes) -> list[str]:
    return [operator.kind for operator in fold(parse(content)).operators]


@needs_gcc
@settings(max_examples=20, deadline=None)
@given(
    st.integers(14, 20),
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([INT8, FLOAT32]),
    st.booleans(),
)
def test_a_dilated_series_equals_tflm(
    length: int, kernel: int, rate: int, same: bool, kind: TensorType, column: bool
) -> None:
    x = values(length, kind)
    expected = tflm(x, kernel, rate, same, kind, column)
    for open_batch in (False, True):
        content = dilated(length, kernel, rate, same, kind, column, open_batch)
        assert kinds(content) == ["EXPAND_DIMS", "CONV_2D", "RESHAPE"]
        (answer,), _ = run_kernels(content, [x])
        np.testing.assert_array_equal(answer.ravel(), expected.ravel())


def test_the_reference_of_an_open_batch_computes_all_of_it(tmp_path: Path) -> None:
    """TFLM itself leaves every second output unset without an error."""
    path = tmp_path / "open.tflite"
    path.write_bytes(dilated(open_batch=True))
    reference = Reference(path)
    assert reference.refusal is not None
    assert "batch_size=1" in reference.refusal
    x = values(9, INT8)
    np.testing.assert_array_equal(reference.infer([x])[0], tflm(x))
    assert sorted(reference.tensors([x])) == [6, 8, 11]
    with pytest.raises(HilError, match=r"operator 0 .* has a batch of 2, which the file stores as 1"):
        tflm_sources.check(path, reference.graph)


def test_a_batch_that_is_stored_is_left_to_tflm(tmp_path: Path) -> None:
    path = tmp_path / "fixed.tflite"
    path.write_bytes(dilated(length=10, same=False))
    assert Reference(path).refusal is None
    compile_model(path, tmp_path)


def test_the_reference_pads_with_zeros_where_tflm_does_not(tmp_path: Path) -> None:
    path = tmp_path / "padded.tflite"
    path.write_bytes(dilated())
    reference = Reference(path)
    assert reference.refusal is not None
    assert "whatever its memory holds" in reference.refusal
    x = values(9, INT8)
    np.testing.assert_array_equal(reference.infer([x])[0], tflm(x))


@pytest.mark.parametrize("oddity", [{"padding": 0}, {"watched": True}])
def test_other_chains_are_refused_rather_than_guessed(tmp_path: Path, oddity: dict[str, Any]) -> None:
    content = dilated(**oddity)
    assert "SPACE_TO_BATCH_ND" in kinds(content)
    path = tmp_path / "odd.tflite"
    path.write_bytes(content)
    with pytest.raises(HilError, match=r"operator 0 \(SPACE_TO_BATCH_ND\): the aot engine does not support it"):
        compile_model(path, tmp_path)
