"""What `hil inspect` promises of a network is what building it does, and no refusal leads in a circle."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.compiler_helpers import needs_gcc
from support.host_kernels import run_kernels
from support.shape_networks import flattened
from support.targets import STM32F4
from support.tflm_helpers import RESOLVER, pretend_library
from tflm_hil.boards.qemu import program as qemu_program
from tflm_hil.commands.inspection import inspect
from tflm_hil.engines import selection as engines
from tflm_hil.engines.tflm import build as tflm_build
from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio, project, toolchain
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import lone_model
from tflm_hil.models.reference import Reference
from tflm_hil.models.stimuli import stimuli
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build, unary
from tflm_hil.models.tflite_file import TensorType

FLOAT32, FLOAT16, INT8, INT32 = TensorType.FLOAT32, TensorType.FLOAT16, TensorType.INT8, TensorType.INT32
WEIGHTS = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)
REAL = [TensorSpec([1, 4], FLOAT32, name="x"), TensorSpec([1, 2], FLOAT32)]
QUANTIZED = [TensorSpec([1, 4], INT8, [0.5], [3], name="x"), TensorSpec([1, 2], INT8, [0.5], [-2])]


def dense(ends: list[TensorSpec], weights: TensorSpec) -> bytes:
    return build([*ends, weights], [OperatorSpec("FULLY_CONNECTED", [0, 2, -1], [1])], [0], [1])


def float16() -> bytes:
    stored = TensorSpec([2, 4], FLOAT16, data=WEIGHTS.astype(np.float16))
    operators = [OperatorSpec("DEQUANTIZE", [2], [3]), OperatorSpec("FULLY_CONNECTED", [0, 3, -1], [1])]
    return build([*REAL, stored, TensorSpec([2, 4], FLOAT32)], operators, [0], [1])


def one(kind: str, size: int = 4, of: TensorType = FLOAT32, **oddity: Any) -> bytes:
    return unary(kind, TensorSpec([1, size], of, name="x", **oddity), TensorSpec([1, size], of))


PACKED = TensorSpec([2, 4], INT8, [0.1], data=np.arange(8, dtype=np.int8).reshape(2, 4))
NETWORKS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "float32": (lambda: dense(REAL, TensorSpec([2, 4], FLOAT32, data=WEIGHTS)), {"aot", "tflm"}),
    "int8": (lambda: dense(QUANTIZED, PACKED), {"aot", "tflm"}),
    "float16": (float16, {"aot"}),
    "hybrid": (lambda: dense(REAL, PACKED), set()),
    "open batch": (flattened, {"aot"}),  # the pretended library has no SHAPE
    "float16 activations": (lambda: one("RELU", of=FLOAT16), set()),
    "an operator that aot lacks": (lambda: one("ABS"), {"tflm"}),
    "an operator that the library lacks": (lambda: one("RELU"), {"aot"}),
    "an operator that both lack": (lambda: one("COS"), set()),
    "a custom operator": (lambda: one("CUSTOM Mystery"), set()),
    "a custom operator of the library": (lambda: one("CUSTOM CIRCULAR_BUFFER"), set()),
    "Ethos-U": (lambda: one("CUSTOM ethos-u"), set()),
    "a code of the future": (lambda: one("UNKNOWN_999"), set()),
    "state": (lambda: one("RELU", variable=True), set()),
    "sparse": (lambda: one("RELU", sparse=True), set()),
    "elsewhere": (lambda: one("RELU", external=True), set()),
    "blocks": (lambda: unary("RELU", TensorSpec([1, 4], FLOAT32, [1.0], blockwise=True), REAL[0]), set()),
    "nothing": (lambda: one("RELU", 0), set()),
    "subgraphs": (lambda: unary("RELU", REAL[0], REAL[0], subgraphs=2), set()),
}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has FULLY_CONNECTED, SOFTMAX and ABS; nothing is compiled."""
    folder = pretend_library(tmp_path / "tflm")
    resolver = folder / "src" / "tensorflow" / "lite" / "micro" / "micro_mutable_op_resolver.h"
    resolver.write_text(RESOLVER.replace("SOFTMAX", "ABS").replace("Softmax", "Abs"))
    monkeypatch.setenv("HIL_TFLM_LIB", str(folder))
    monkeypatch.setattr(toolchain, "versions", dict)
    monkeypatch.setattr(platformio, "bring_up_to_date", lambda *_: None)
    sizes = {"flash_bytes": 0, "ram_bytes": 0, "ram_total_bytes": 0, "model_bytes": 0, "arena_bytes": 0, "sections": {}}
    monkeypatch.setattr(project, "read_image", lambda *_: SimpleNamespace(**sizes))
    monkeypatch.setattr(tflm_build, "generate", lambda *_: ([], 16))


def refusal_of_build(path: Path, engine: str, folder: Path) -> str | None:
    built = FirmwareProject(folder / ".hil", lambda *_: 0)
    try:
        engines.build(engines.load(engine), built, lone_model(path), "tflite", STM32F4)
    except HilError as error:
        return str(error).removeprefix(f"{path}: ")
    return None


@needs_gcc
@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("name", NETWORKS)
def test_inspection_and_building_agree(name: str, tmp_path: Path) -> None:
    make, takers = NETWORKS[name]
    path = tmp_path / "network.tflite"
    path.write_bytes(make())
    verdicts = {
        verdict.who: verdict
        for verdict in inspect(path, FirmwareProject(tmp_path / ".hil", qemu_program.run), STM32F4).verdicts
    }
    assert {engine for engine in ("aot", "tflm") if verdicts[engine].accepts} == takers
    for engine in ("aot", "tflm"):
        refusal = refusal_of_build(path, engine, tmp_path)
        if engine in takers:
            assert refusal is None
            continue
        assert refusal is not None
        reason, *advice = re.split(r"; or use engine (\w+)", refusal)
        assert reason == verdicts[engine].reason
        assert set(advice[:1]) == takers, "another engine is named if, and only if, it takes the network"
        assert "use engine" not in reason
    if "aot" in takers:
        host = Reference(path)
        for stimulus in stimuli(host.inputs):
            (answer,), _ = run_kernels(make(), [values.reshape(host.inputs[0].shape) for values in stimulus.inputs])
            np.testing.assert_array_equal(answer, host.infer(stimulus.inputs)[0])


def test_the_reference_of_float16_weights_has_them_as_float32(tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(float16())
    host = Reference(path)
    assert host.refusal is not None
    assert "DEQUANTIZE" in host.refusal
    x = np.array([[1, 2, 3, 4]], np.float32)
    expected = x @ WEIGHTS.astype(np.float16).astype(np.float32).T
    np.testing.assert_allclose(host.infer([x])[0], expected, rtol=1e-6)
    assert list(host.tensors([x])) == [1], "the weights are no tensor that anyone computes"


@pytest.mark.usefixtures("library")
def test_what_cannot_be_fed_is_told_by_inspection(tmp_path: Path) -> None:
    path = tmp_path / "network.tflite"
    path.write_bytes(build([TensorSpec([1, 4], INT32)] * 2, [OperatorSpec("MAXIMUM", [0, 0], [1])], [0], [1]))
    *_, reference = inspect(path, FirmwareProject(tmp_path / ".hil", qemu_program.run), STM32F4).verdicts
    assert not reference.accepts
    assert reference.reason.startswith("an input of the network is int32, which is not supported")
