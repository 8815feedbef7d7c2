"""Whole networks: from the .tflite through generated C to a program, under gcc's address and undefined sanitizers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from support.compiler_helpers import ROOT, needs_gcc, run_tflm
from support.generated_programs import run_generated
from support.host_kernels import run_kernels
from tflm_hil.compiler import compile_model
from tflm_hil.compiler.emit import C_TYPES
from tflm_hil.compiler.operators import supported
from tflm_hil.models.manifest import load_models
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import Graph, TensorType, read

MODELS = [variant.path for model in load_models(ROOT).values() for variant in model.variants.values()]
FLOAT32, FLOAT16, INT8, INT32 = TensorType.FLOAT32, TensorType.FLOAT16, TensorType.INT8, TensorType.INT32


def random_inputs(graph: Graph, seed: int) -> list[npt.NDArray[Any]]:
    rng = np.random.default_rng(seed)
    inputs: list[npt.NDArray[Any]] = []
    for index in graph.inputs:
        tensor = graph.tensors[index]
        shape = tuple(max(size, 1) for size in tensor.shape)
        if tensor.type is INT8:
            inputs.append(rng.integers(-128, 128, shape).astype(np.int8))
        else:
            inputs.append(rng.uniform(-1, 1, shape).astype(np.float32))
    return inputs


def check(path: Path, folder: Path, ulp: int = 0) -> None:
    """The generated program against TFLM, ten runs in one process so that nothing may linger in the arena."""
    runs = [random_inputs(read(path), seed) for seed in range(10)]
    for inputs, written in zip(runs, run_generated(path, folder, runs), strict=True):
        expected = b"".join(values.tobytes() for values in run_tflm(path.read_bytes(), inputs))
        if ulp:
            difference = np.frombuffer(written, "<i4").astype(np.int64) - np.frombuffer(expected, "<i4")
            assert np.abs(difference).max() <= ulp
        else:
            assert written == expected


def layer(rows: int, columns: int, rng: np.random.Generator) -> npt.NDArray[np.int8]:
    return rng.integers(-127, 128, (rows, columns)).astype(np.int8)


def mixed_network(outputs: Sequence[int] = (11, 6)) -> bytes:
    """Every operator once, an open batch, three rows to a layer, scales per channel, a tensor used twice."""
    rng = np.random.default_rng(7)
    channel_scales = rng.uniform(0.01, 0.02, 7).tolist()
    tensors = [
        TensorSpec([1, 3, 10], FLOAT32, name="input", signature=[-1, 3, 10]),
        TensorSpec([1, 3, 10], INT8, [1 / 127], [3], name="quantized"),
        TensorSpec([2], INT32, data=np.array([3, 10], np.int32)),
        TensorSpec([3, 10], INT8, [1 / 127], [3], name="rows"),
        TensorSpec([7, 10], INT8, channel_scales, data=layer(7, 10, rng)),
        TensorSpec([3, 7], INT8, [0.05], [-5], name="hidden"),
        TensorSpec([3, 7], INT8, [0.04], [-128], name="hidden*/relu"),
        TensorSpec([5, 7], INT8, [0.01], data=layer(5, 7, rng)),
        TensorSpec([5], INT32, [0.0004], data=rng.integers(-500, 500, 5).astype(np.int32)),
        TensorSpec([3, 5], INT8, [0.03], [0], name="scores"),
        TensorSpec([3, 5], INT8, [1 / 256], [-128], name="probabilities"),
        TensorSpec([3, 5], FLOAT32, name="output"),
    ]
    operators = [
        OperatorSpec("QUANTIZE", [0], [1]),
        OperatorSpec("RESHAPE", [1, 2], [3]),
        OperatorSpec("FULLY_CONNECTED", [3, 4, -1], [5], {"KeepNumDims": True}),
        OperatorSpec("RELU", [5], [6]),
        OperatorSpec("FULLY_CONNECTED", [6, 7, 8], [9], {"FusedActivationFunction": 3}),
        OperatorSpec("SOFTMAX", [9], [10], {"Beta": 1.0}),
        OperatorSpec("DEQUANTIZE", [10], [11]),
    ]
    return build(tensors, operators, [0], outputs)


def float16_network() -> tuple[bytes, npt.NDArray[np.float16], npt.NDArray[np.float16]]:
    rng = np.random.default_rng(8)
    weights, bias = rng.normal(0, 1, (6, 9)).astype(np.float16), rng.normal(0, 1, 6).astype(np.float16)
    tensors = [
        TensorSpec([1, 9], FLOAT32),
        TensorSpec([6, 9], FLOAT16, data=weights),
        TensorSpec([6], FLOAT16, data=bias),
        TensorSpec([6, 9], FLOAT32),
        TensorSpec([6], FLOAT32),
        TensorSpec([1, 6], FLOAT32),
    ]
    operators = [
        OperatorSpec("DEQUANTIZE", [1], [3]),
        OperatorSpec("DEQUANTIZE", [2], [4]),
        OperatorSpec("FULLY_CONNECTED", [0, 3, 4], [5], {"FusedActivationFunction": 1}),
    ]
    return build(tensors, operators, [0], [5]), weights, bias


@needs_gcc
@pytest.mark.parametrize("name", ["gesture_int8", "gesture_float32"])
def test_the_gesture_network_is_the_same_as_on_tflm(name: str, tmp_path: Path) -> None:
    check(ROOT / "models" / "gesture" / f"{name}.tflite", tmp_path, ulp=1 if "float" in name else 0)


@needs_gcc
def test_a_network_of_every_operator_is_the_same_as_on_tflm(tmp_path: Path) -> None:
    model = tmp_path / "mixed.tflite"
    model.write_bytes(mixed_network())
    check(model, tmp_path)


@needs_gcc
def test_no_kernel_works_in_place_on_a_tensor_that_is_still_needed(tmp_path: Path) -> None:
    spec = TensorSpec([1, 8], FLOAT32)
    operators = [
        OperatorSpec("RELU6", [0], [1]),  # must leave 0 to the next
        OperatorSpec("RESHAPE", [0], [2]),
        OperatorSpec("RELU6", [2], [3]),  # must leave the bytes that 0 and 2 share
        OperatorSpec("RELU", [0], [4]),
    ]
    model = tmp_path / "branches.tflite"
    model.write_bytes(build([spec] * 5, operators, [0], [1, 3, 4]))
    x = np.arange(-30, 50, 10, dtype=np.float32).reshape(1, 8)
    written = np.frombuffer(run_generated(model, tmp_path, [[x]])[0], np.float32).reshape(3, 8)
    np.testing.assert_array_equal(written, [x[0].clip(0, 6), x[0].clip(0, 6), x[0].clip(0)])


@needs_gcc
def test_padding_that_a_kernel_reads_belongs_to_the_arena(tmp_path: Path) -> None:
    # The second layer reads its last row of five beyond the end of its input, which lies at the end of the arena.
    rng = np.random.default_rng(2)
    tensors = [
        TensorSpec([3, 4], INT8, [0.5], [0]),
        TensorSpec([5, 4], INT8, [0.01], data=layer(5, 4, rng)),
        TensorSpec([3, 5], INT8, [0.5], [0]),
        TensorSpec([4, 5], INT8, [0.01], data=layer(4, 5, rng)),
        TensorSpec([3, 4], INT8, [0.5], [0]),
    ]
    operators = [OperatorSpec("FULLY_CONNECTED", [0, 1], [2]), OperatorSpec("FULLY_CONNECTED", [2, 3], [4])]
    model = tmp_path / "rows.tflite"
    model.write_bytes(build(tensors, operators, [0], [4]))
    check(model, tmp_path)


@needs_gcc
def test_constants_may_be_inputs_of_kernels(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    constant = rng.integers(-128, 128, (1, 9)).astype(np.int8)
    tensors = [
        TensorSpec([3, 3], INT8, [0.5], [0], data=constant.reshape(3, 3)),
        TensorSpec([2], INT32, data=np.array([1, 9], np.int32)),
        TensorSpec([1, 9], INT8, [0.5], [0]),
        TensorSpec([4, 9], INT8, [0.01], data=layer(4, 9, rng)),
        TensorSpec([1, 4], INT8, [0.5], [0]),
        TensorSpec([1, 4], FLOAT32),
        TensorSpec([1, 9], FLOAT32),
        TensorSpec([1, 1], FLOAT32, name="unused"),
    ]
    operators = [
        OperatorSpec("RESHAPE", [0, 1], [2]),
        OperatorSpec("FULLY_CONNECTED", [2, 3], [4]),
        OperatorSpec("DEQUANTIZE", [4], [5]),
        OperatorSpec("DEQUANTIZE", [2], [6]),
    ]
    model = tmp_path / "constant.tflite"
    model.write_bytes(build(tensors, operators, [7], [5, 6]))
    inputs = [np.zeros((1, 1), np.float32)]
    written = np.frombuffer(run_generated(model, tmp_path, [inputs])[0], np.float32)
    expected, _ = run_kernels(model.read_bytes(), inputs)
    np.testing.assert_array_equal(written[:4], expected[0][0])
    np.testing.assert_array_equal(written[4:], constant[0] * 0.5)


@needs_gcc
def test_an_input_that_nothing_reads_does_not_disturb_the_others(tmp_path: Path) -> None:
    spec = TensorSpec([1, 4], FLOAT32)
    model = tmp_path / "unused.tflite"
    model.write_bytes(build([spec] * 3, [OperatorSpec("RELU", [0], [2])], [0, 1], [2]))
    x = np.array([[1, 2, 3, -4]], np.float32)
    written = np.frombuffer(run_generated(model, tmp_path, [[x, -x]])[0], np.float32)
    np.testing.assert_array_equal(written, [1, 2, 3, 0])


@needs_gcc
@pytest.mark.external
@pytest.mark.parametrize(
    ("name", "ulp"),
    [
        ("mlperf-tiny/ad01_int8", 0),
        ("magic-wand/hello_world_int8", 0),
        ("magic-wand/hello_world_float", 0),
        ("punch-uppercut/gesture_model", 8),
    ],
)
def test_public_networks_are_the_same_as_on_tflm(name: str, ulp: int, tmp_path: Path) -> None:
    path = ROOT / ".." / "shared" / "data" / f"{name}.tflite"
    if not path.exists():
        pytest.skip(f"{path} is not part of the project")
    check(path, tmp_path, ulp)


@needs_gcc
def test_float16_weights_are_unfolded_at_build_time(tmp_path: Path) -> None:
    content, weights, bias = float16_network()
    model = tmp_path / "half.tflite"
    model.write_bytes(content)
    x = np.random.default_rng(1).normal(0, 1, (1, 9)).astype(np.float32)
    written = np.frombuffer(run_generated(model, tmp_path, [[x]])[0], np.float32)
    # The same in order: products rounded, added one after the other, then the bias.
    expected = np.zeros(6, np.float32)
    for column in range(9):
        expected += x[0, column] * weights[:, column].astype(np.float32)
    expected = np.maximum(expected + bias.astype(np.float32), 0)
    np.testing.assert_array_equal(written, expected)
    assert compile_model(model, tmp_path).operators == [
        "#2 FULLY_CONNECTED float32[1,9] x float32[6,9] x float32[6] -> float32[1,6], RELU"
    ]


@needs_gcc
def test_a_debug_build_keeps_every_tensor(tmp_path: Path) -> None:
    model = tmp_path / "mixed.tflite"
    model.write_bytes(mixed_network())
    graph = read(model)
    inputs = random_inputs(graph, 3)
    written = run_generated(model, tmp_path, [inputs], keep_tensors=True)[0]
    # Each compared with the same tensor as the output of a network.
    activations = [tensor.index for tensor in graph.tensors if tensor.data is None]
    for index in [*graph.outputs, *activations]:
        expected = inputs[0] if index == 0 else run_kernels(mixed_network([index]), inputs)[0][0]
        assert written.startswith(expected.tobytes()), f"tensor {index}"
        written = written[expected.nbytes :]
    assert not written


def test_compiling_again_changes_nothing(tmp_path: Path) -> None:
    model = ROOT / "models" / "gesture" / "gesture_int8.tflite"
    first = compile_model(model, tmp_path)
    before = first.sources[0].stat()
    again = compile_model(model, tmp_path)
    after = again.sources[0].stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert first == again
    elsewhere = compile_model(model, tmp_path / "elsewhere")
    assert elsewhere.sources[0].read_text() == first.sources[0].read_text()


def test_a_changed_model_changes_the_source(tmp_path: Path) -> None:
    models = ROOT / "models" / "gesture"
    first = compile_model(models / "gesture_int8.tflite", tmp_path).sources[0].read_text()
    second = compile_model(models / "gesture_float32.tflite", tmp_path).sources[0].read_text()
    assert first != second
    assert [path.name for path in tmp_path.iterdir()] == ["aot_model.c"]


def test_the_gesture_network_fits_its_budget(tmp_path: Path) -> None:
    compiled = compile_model(ROOT / "models" / "gesture" / "gesture_int8.tflite", tmp_path)
    # 180 inputs and 50 outputs of the first layer, which begin at multiples of 4.
    assert (compiled.arena_bytes, compiled.arena_lower_bound) == (232, 230)
    assert compiled.constant_bytes < 10_240


@pytest.mark.parametrize("model", MODELS, ids=lambda path: path.stem)
def test_the_arena_is_within_a_tenth_of_what_is_alive_at_once(model: Path, tmp_path: Path) -> None:
    compiled = compile_model(model, tmp_path)
    assert compiled.arena_bytes <= 1.1 * compiled.arena_lower_bound


def test_the_source_uses_only_the_kernels_it_needs(tmp_path: Path) -> None:
    text = compile_model(ROOT / "models" / "gesture" / "gesture_float32.tflite", tmp_path).sources[0].read_text()
    assert set(re.findall(r"\baot_\w+(?=\(&)", text)) == {"aot_fully_connected_f32", "aot_softmax_f32"}
    assert '#include "aot_elementwise.h"' not in text


def test_every_type_that_a_kernel_writes_has_a_type_in_c() -> None:
    written = {kind for signatures in supported().values() for each in signatures for kind in each.outputs}
    assert written <= set(C_TYPES)


def test_tensor_names_cannot_end_a_comment(tmp_path: Path) -> None:
    model = tmp_path / "mixed.tflite"
    model.write_bytes(mixed_network())
    text = compile_model(model, tmp_path).sources[0].read_text()
    assert "hidden_relu" in text
    assert text.count("/*") == text.count("*/")
