"""Models whose inputs are written as tensors: the suite feeds them, and holds every output against the reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.needs import needs_emulator
from support.project_helpers import Project
from tflm_hil.errors import HilError
from tflm_hil.models.preprocess import Quantization
from tflm_hil.models.reference import TensorSpec as Ends
from tflm_hil.models.stimuli import stimuli
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

INT8, FLOAT32 = TensorType.INT8, TensorType.FLOAT32

# What the suite runs for one model without windows.
TESTS = 4


def sum_and_difference() -> bytes:
    """Two int8 inputs of different shapes and two outputs, larger than a frame."""
    tensors = [
        TensorSpec([1, 12, 10, 3], INT8, [0.1], [-5], name="image"),
        TensorSpec([3], INT8, [0.05], [7], name="colour"),
        TensorSpec([1, 12, 10, 3], INT8, [0.12], [0], name="sum"),
        TensorSpec([1, 12, 10, 3], INT8, [0.11], [3], name="difference"),
    ]
    options = {"FusedActivationFunction": 0}
    operators = [OperatorSpec("ADD", [0, 1], [2], options), OperatorSpec("SUB", [0, 1], [3], options)]
    return build(tensors, operators, [0, 1], [3, 2])


def float_softmax() -> bytes:
    return build(
        [TensorSpec([1, 7], FLOAT32), TensorSpec([1, 7], FLOAT32)],
        [OperatorSpec("SOFTMAX", [0], [1], {"Beta": 1.0})],
        [0],
        [1],
    )


def many_ends() -> bytes:
    """Ten inputs and twelve outputs, more than HELLO has room for."""
    vector = [1, 4]
    inputs = [TensorSpec(vector, INT8, [0.1], [number]) for number in range(10)]
    outputs = [TensorSpec(vector, INT8, [0.1], [number - 5]) for number in range(12)]
    options = {"FusedActivationFunction": 0}
    operators = [OperatorSpec("ADD", [n % 10, (3 * n + 1) % 10], [10 + n], options) for n in range(12)]
    return build([*inputs, *outputs], operators, list(range(10)), list(range(10, 22)))


@pytest.mark.nightly  # It builds four firmwares; test_wheel.py tests a project with such a model every time.
@needs_emulator
def test_the_suite_tests_models_without_windows_beside_those_with(pytester: pytest.Pytester, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.add_model("pair", sum_and_difference())
    project.add_model("softmax", float_softmax())
    project.add_model("many", many_ends())
    project.copy_model("gesture")
    result = project.run(
        pytester, "--hil-engine=aot", "-k", "pair or softmax or many or (gesture-int8 and not continuous)"
    )
    result.assert_outcomes(passed=3 * TESTS + 5)
    runs = project.runs()
    for name, exact in (("pair-only", True), ("many-only", True), ("softmax-only", False)):
        run = runs[name]
        assert run.verdict == "pass"
        assert run.parity is not None
        assert run.parity.windows == len(stimuli([]))
        assert run.parity.bit_exact or not exact
        assert run.latency is not None
        assert run.latency.min > 0
        assert run.firmware is not None
        assert run.firmware.arena_bytes > 0
    assert runs["gesture-int8"].parity is not None
    assert (project.root / "reports" / "report.md").is_file()


@needs_emulator
def test_a_project_without_such_models_says_what_its_tests_are_missing(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    project = Project(tmp_path / "project")
    project.add_model("softmax", float_softmax())
    result = project.run(pytester, "--hil-engine=aot", "-k", "predictions")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*no model here is of the kind that it tests"])


def test_stimuli_are_the_same_every_time_and_reach_both_ends_of_the_range() -> None:
    specs = [
        Ends((1, 8, 6, 3), Quantization(np.dtype(np.int8), 0.1, 0)),
        Ends((1, 40), Quantization(np.dtype(np.int16), 0.1, 0)),
        Ends((5,), Quantization(np.dtype(np.uint8), 0.1, 0)),
        Ends((1,), Quantization(np.dtype(np.float32))),
    ]
    made = stimuli(specs)
    assert len({stimulus.name for stimulus in made}) == len(made)
    for first, again in zip(made, stimuli(specs), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(first.inputs, again.inputs, strict=True))
        for values, spec in zip(first.inputs, specs, strict=True):
            assert (values.shape, values.dtype) == (spec.shape, spec.dtype)
    for number, limits in enumerate([(-128, 127), (-32768, 32767), (0, 255), (-1, 1)]):
        everything = np.concatenate([stimulus.inputs[number].ravel() for stimulus in made])
        assert (everything.min(), everything.max()) == limits
    images = {stimulus.name: stimulus.inputs[0] for stimulus in made}

    def roughness(image: np.ndarray) -> float:
        """How much neighbours differ, compared with what any two pixels do."""
        return float(np.abs(np.diff(image.astype(float), axis=1)).mean() / image.astype(float).std())

    assert roughness(images["1/f noise 1"]) < 0.8 * roughness(images["random 1"])


def test_an_input_that_stands_for_nothing_known_has_no_stimuli() -> None:
    with pytest.raises(HilError, match="an input of the network is int32, which is not supported"):
        stimuli([Ends((1,), Quantization(np.dtype(np.int32)))])
