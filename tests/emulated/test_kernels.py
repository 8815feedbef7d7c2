"""The kernels on the cores they are written for: ragged layers, which the models of the suite do not have."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.compiler_helpers import FLAGS, SOURCES, run_tflm
from support.convolution_cases import (
    HALVES,
    layer_of_halves,
    random_convolution,
    random_float_convolution,
    random_small_convolution,
    residual_network,
)
from support.emulated_programs import (
    CORES,
    RUNNABLE,
    Core,
    build,
    kernels,
    needs_arm_gcc,
    needs_qemu,
    run,
    target_flags,
)
from support.generated_programs import MAIN
from support.many_models import check_many_models, many_models, random_inputs
from tflm_hil.compiler import compile_model
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec
from tflm_hil.models.tflite_builder import build as build_model
from tflm_hil.models.tflite_file import TensorType

FLOAT32, INT8, INT32 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT32
INT16, INT64 = TensorType.INT16, TensorType.INT64


def ragged_int8() -> bytes:
    """A batch of two, so that rows start unaligned; all remainders of rows and columns by four; two parts."""
    rng = np.random.default_rng(11)
    widths = [501, 7, 9, 6, 8, 3]
    tensors = [TensorSpec([2, widths[0]], INT8, [0.5], [17])]
    operators = []
    for columns, rows in pairwise(widths):
        weights = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
        scales = rng.uniform(0.01, 0.02, rows).tolist() if rows % 2 else [0.02]
        bias = rng.integers(-3000, 3000, rows).astype(np.int32)
        first = len(tensors)
        bias_scales = [float(np.float32(0.5) * np.float32(scale)) for scale in scales]
        tensors.append(TensorSpec([rows, columns], INT8, scales, data=weights))
        tensors.append(TensorSpec([rows], INT32, bias_scales, data=bias))
        tensors.append(TensorSpec([2, rows], INT8, [0.5 * columns**0.5], [-20]))
        activation = {"FusedActivationFunction": [0, 1, 3][rows % 3]}
        operators.append(
            OperatorSpec("FULLY_CONNECTED", [first - 1 if first > 1 else 0, first, first + 1], [first + 2], activation)
        )
    tensors.append(TensorSpec([2, widths[-1]], INT8, [1 / 256], [-128]))
    operators.append(OperatorSpec("SOFTMAX", [len(tensors) - 2], [len(tensors) - 1], {"Beta": 0.3}))
    return build_model(tensors, operators, [0], [len(tensors) - 2, len(tensors) - 1])


def ragged_float32() -> bytes:
    rng = np.random.default_rng(12)
    widths = [23, 10, 7, 5]
    tensors = [TensorSpec([2, widths[0]], FLOAT32)]
    operators = []
    for columns, rows in pairwise(widths):
        first = len(tensors)
        tensors.append(
            TensorSpec([rows, columns], FLOAT32, data=rng.normal(0, 0.3, (rows, columns)).astype(np.float32))
        )
        tensors.append(TensorSpec([2, rows], FLOAT32))
        activation = {"FusedActivationFunction": 3 if rows == 10 else 0}
        operators.append(OperatorSpec("FULLY_CONNECTED", [first - 1, first], [first + 1], activation))
    return build_model(tensors, operators, [0], [len(tensors) - 1])


def elementwise_int8() -> bytes:
    """Every kernel of ADD, SUB, MUL and PRELU, on rows of odd lengths, with operands that broadcast."""
    rng = np.random.default_rng(13)
    shape = [1, 7, 5, 3]
    tensors = [TensorSpec(shape, INT8, [0.05], [17])]
    operators = []
    for kind, operand, scale, target, activation in (
        ("ADD", shape, 0.0333, 0.0617, 0),
        ("SUB", [3], 0.0471, 0.0699, 1),
        ("ADD", [1], 0.0217, 0.06, 0),
        ("ADD", shape, 0.03, 0.05, 3),
        ("SUB", [5, 1], 0.03, 0.06, 0),
        ("MUL", shape, 0.07, 0.3, 0),
        ("MUL", [3], 0.5, 7.0, 1),
        ("MUL", [1], 0.5, 3.0, 0),
        ("PRELU", [3], 0.01, 3.0, None),
        ("PRELU", [1], 0.02, 2.0, None),
    ):
        last, first = len(tensors) - 1, len(tensors)
        values = rng.integers(-128, 128, operand).astype(np.int8)
        tensors.append(TensorSpec(operand, INT8, [scale], [int(rng.integers(-128, 128))], data=values))
        tensors.append(TensorSpec(shape, INT8, [target], [int(rng.integers(-30, 30))]))
        options = {} if activation is None else {"FusedActivationFunction": activation}
        operators.append(OperatorSpec(kind, [last, first], [first + 1], options))
    return build_model(tensors, operators, [0], [operator.outputs[0] for operator in operators])


def network_int16() -> bytes:
    """Every kernel on int16, and both ways to rescale a sum."""
    rng = np.random.default_rng(14)
    tensors = [TensorSpec([1, 6, 7, 2], INT16, [1e-4], [0])]
    operators: list[OperatorSpec] = []

    def add(kind: str, y: list[int], scale: float, inputs: Sequence[int] = (), **options: Any) -> int:
        last = operators[-1].outputs[0] if operators else 0
        tensors.append(TensorSpec(y, INT16, [scale], [0]))
        operators.append(OperatorSpec(kind, [last, *inputs], [len(tensors) - 1], options))
        return len(tensors) - 1

    def weights(shape: list[int], dimension: int, bias: TensorType) -> tuple[int, int]:
        values = rng.integers(-127, 128, shape).astype(np.int8)
        outputs = shape[dimension]
        tensors.append(TensorSpec(shape, INT8, [0.005] * outputs, data=values, quantized_dimension=dimension))
        biases = rng.integers(-(2**20), 2**20, outputs).astype(bias.dtype)
        source = tensors[operators[-1].outputs[0]] if operators else tensors[0]
        bias_scale = float(np.float32(source.scales[0]) * np.float32(0.005))
        tensors.append(TensorSpec([outputs], bias, [bias_scale] * outputs, data=biases))
        return len(tensors) - 2, len(tensors) - 1

    one_step: dict[str, Any] = {"StrideH": 1, "StrideW": 1}
    depthwise = one_step | {"Padding": 1, "DepthMultiplier": 1}
    conv = add("CONV_2D", [1, 6, 7, 5], 4e-4, weights([5, 3, 3, 2], 0, INT64), Padding=0, **one_step)
    add("DEPTHWISE_CONV_2D", [1, 4, 5, 5], 1e-3, weights([1, 3, 3, 5], 3, INT64), **depthwise)
    tensors.append(TensorSpec([5], INT16, [1e-3], [0], data=rng.integers(-32768, 32768, 5).astype(np.int16)))
    constant = len(tensors) - 1
    add("ADD", [1, 4, 5, 5], 1.3e-3, [constant])
    add("SUB", [1, 4, 5, 5], 1.9e-3, [constant], FusedActivationFunction=1)
    add("MUL", [1, 4, 5, 5], 20.0e-3, [constant])
    window = one_step | {"FilterHeight": 2, "FilterWidth": 2, "Padding": 0}
    add("MAX_POOL_2D", [1, 4, 5, 5], 20.0e-3, **window)
    add("AVERAGE_POOL_2D", [1, 4, 5, 5], 20.0e-3, **window)
    tensors.append(TensorSpec([2], INT32, data=np.array([1, 2], np.int32)))
    add("MEAN", [1, 5], 18.0e-3, [len(tensors) - 1], KeepDims=0)
    dense = add("FULLY_CONNECTED", [1, 4], 1e-4, weights([4, 5], 0, INT32))
    outputs = [conv, dense, *(add(kind, [1, 4], 2.0**-15) for kind in ("SOFTMAX", "LOGISTIC", "TANH"))]
    return build_model(tensors, operators, [0], outputs)


NETWORKS = {
    "int16": network_int16,
    "int8": ragged_int8,
    "float32": ragged_float32,
    "convolutions": residual_network,
    "elementwise": elementwise_int8,
}


@needs_arm_gcc
@needs_qemu
@pytest.mark.parametrize("core", RUNNABLE)
@pytest.mark.parametrize("kind", NETWORKS)
def test_ragged_layers_are_bit_exact_on_the_core(core: Core, kind: str, tmp_path: Path) -> None:
    model = tmp_path / "model.tflite"
    model.write_bytes(NETWORKS[kind]())
    (tmp_path / "main.c").write_text(MAIN)
    sources = [tmp_path / "main.c", *compile_model(model, tmp_path).sources, kernels(core)]
    program = build(core, tmp_path, FLAGS, sources)
    runs = [random_inputs(model.read_bytes(), seed) for seed in range(20)]
    expected = b"".join(out.tobytes() for values in runs for out in run_tflm(model.read_bytes(), [values]))
    assert run(core, program, ["0"], b"".join(values.tobytes() for values in runs)) == expected


@needs_arm_gcc
@needs_qemu
@pytest.mark.parametrize("core", [core for core in RUNNABLE if core.id != "cortex-m0"])  # it has 16 KiB
def test_random_convolutions_are_bit_exact_on_the_core(core: Core, tmp_path: Path) -> None:
    models = [random_convolution(seed) for seed in range(32)]
    models += [random_small_convolution(seed) for seed in range(24)]
    models += [random_float_convolution(seed) for seed in range(24)]
    models += [layer_of_halves(*HALVES[kernel], exponent)[0] for kernel in HALVES for exponent in range(-7, -1)]
    program = build(core, tmp_path, FLAGS, [*many_models(models, tmp_path), kernels(core)])
    check_many_models(models, lambda stdin: run(core, program, [], stdin))


@pytest.mark.nightly  # at -Os, the images of all targets are compiled in every run
@needs_arm_gcc
@pytest.mark.parametrize("level", ["-Os", "-O3", "-Og"])
@pytest.mark.parametrize("core", CORES, ids=lambda core: core.name)
def test_kernels_compile_without_warnings(core: Core, level: str, tmp_path: Path) -> None:
    subprocess.run(["arm-none-eabi-gcc", *target_flags(core), level, *FLAGS, "-c", *SOURCES], check=True, cwd=tmp_path)
