"""Random networks of many operators, inputs and outputs: through generated C, under the sanitizers, against TFLM."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest
from support.compiler_helpers import FLAGS, needs_gcc, run_tflm
from support.emulated_programs import RUNNABLE, Core, build, kernels, needs_arm_gcc, needs_qemu, run
from support.generated_programs import MAIN, run_generated
from support.random_networks import FLOAT32, INT8, RandomNetwork
from tflm_hil.compiler import compile_model
from tflm_hil.compiler.compile import lower_graph
from tflm_hil.compiler.memory.plan import lower_bound
from tflm_hil.compiler.memory.storage import Storage
from tflm_hil.models.tflite_file import TensorType, parse

pytestmark = needs_gcc


def check(seed: int, kind: TensorType, folder: Path) -> None:
    network = RandomNetwork(seed, kind, 12)
    model = folder / f"{kind.name.lower()}{seed}.tflite"
    model.write_bytes(network.bytes)
    runs = [network.values(number) for number in range(8)]
    for inputs, written in zip(runs, run_generated(model, folder, runs), strict=True):
        assert written == b"".join(values.tobytes() for values in run_tflm(network.bytes, inputs))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", [INT8, FLOAT32], ids=lambda kind: kind.name.lower())
def test_a_network_is_the_same_as_on_tflm(seed: int, kind: TensorType, tmp_path: Path) -> None:
    check(seed, kind, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize("kind", [INT8, FLOAT32], ids=lambda kind: kind.name.lower())
def test_many_networks_are_the_same_as_on_tflm(kind: TensorType, tmp_path: Path) -> None:
    for seed in range(100, 600):
        check(seed, kind, tmp_path)


def test_plans_are_near_the_least_for_what_is_alive(tmp_path: Path) -> None:
    # Tensors and scratch memory, and up to 3 bytes for each, because all begin at multiples of 4.
    for kind, seed in itertools.product((INT8, FLOAT32), range(40)):
        network, calls = lower_graph(tmp_path, parse(RandomNetwork(seed, kind, 16).bytes))
        storage = Storage(network, calls, keep_tensors=False)
        alignment = lower_bound([replace(buffer, bytes=3) for buffer in storage.buffers])
        assert storage.arena_bytes <= 1.1 * lower_bound(storage.buffers) + alignment


@needs_arm_gcc
@needs_qemu
@pytest.mark.parametrize("core", RUNNABLE)
@pytest.mark.parametrize(
    ("kind", "seed"), [(INT8, 6), (INT8, 22), (FLOAT32, 6)], ids=["int8-6", "int8-22", "float32-6"]
)
def test_a_network_is_the_same_on_the_core(kind: TensorType, seed: int, core: Core, tmp_path: Path) -> None:
    network = RandomNetwork(seed, kind, 40)
    model = tmp_path / "model.tflite"
    model.write_bytes(network.bytes)
    (tmp_path / "main.c").write_text(MAIN)
    sources = [tmp_path / "main.c", *compile_model(model, tmp_path).sources, kernels(core)]
    program = build(core, tmp_path, FLAGS, sources)
    runs = [network.values(number) for number in range(8)]
    expected = b"".join(out.tobytes() for inputs in runs for out in run_tflm(network.bytes, inputs))
    stdin = b"".join(values.tobytes() for inputs in runs for values in inputs)
    assert run(core, program, ["0"], stdin) == expected
