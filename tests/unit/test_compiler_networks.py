"""Random networks of many operators, inputs and outputs: through generated C, under the sanitisers, against TFLM."""

from __future__ import annotations

from pathlib import Path

import pytest
from compiler_helpers import needs_gcc, run_generated, run_tflm
from random_networks import FLOAT32, INT8, RandomNetwork

from harness.models.tflite_file import TensorType

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
