"""All steps from the trained network to the device are run, and their changes are counted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tflm_hil.checks.attribution import attribute
from tflm_hil.errors import HilError
from tflm_hil.models import litert
from tflm_hil.models.chain import Chain, Stage
from tflm_hil.models.litert import LiteRt
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.output import meaning
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.recordings import load_recordings
from tflm_hil.recordings.windows import windows

ROOT = Path(__file__).parents[2]

A_OR_B = meaning(None, ["a", "b"])

needs_litert = pytest.mark.skipif(litert.missing() is not None, reason="needs LiteRT: pip install -e .[attribution]")


def stage(name: str, rows: Sequence[Sequence[float]]) -> Stage:
    return Stage(name, np.array(rows, float))


def test_each_step_is_compared_with_the_step_before() -> None:
    stages = [
        stage("trained", [[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.5, 0.5], [0.1, 0.9]]),  # equal: the first label
        stage("quantized", [[0.8, 0.2], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8], [0.6, 0.4]]),
        stage("device", [[0.8, 0.2], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8], [0.6, 0.4]]),
    ]
    trained, quantized, device = attribute(stages, A_OR_B, ["a", "b", "a", None, "b"])
    assert (trained.windows, trained.labelled, trained.correct) == (5, 4, 3)
    assert (trained.label_changes, trained.lost, trained.gained, trained.max_abs_diff) == (0, 0, 0, 0.0)
    assert (quantized.label_changes, quantized.lost, quantized.gained, quantized.correct) == (4, 2, 1, 2)
    assert quantized.max_abs_diff == pytest.approx(0.5)
    assert (device.label_changes, device.lost, device.gained, device.max_abs_diff) == (0, 0, 0, 0.0)


def test_recordings_without_labels_have_no_accuracy_but_disagreements() -> None:
    first, second = attribute([stage("x", [[1, 0]]), stage("y", [[0, 1]])], A_OR_B, [None])
    assert (first.labelled, second.labelled, second.correct, second.label_changes) == (0, 0, 0, 1)


def test_outputs_that_fit_neither_labels_nor_windows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1 windows, but trained \(2, 3\)"):
        attribute([stage("trained", [[1, 0, 0], [0, 1, 0]])], A_OR_B, ["a"])


@pytest.fixture(scope="module")
def model() -> Model:
    return load_models(ROOT)["gesture"]


@pytest.fixture(scope="module")
def raw(model: Model) -> np.ndarray:
    assert model.recordings is not None
    recordings = load_recordings(model.recordings, model.channels, model.window)
    return windows(recordings[-1].samples, model.window, model.stride)[:100]


@needs_litert
def test_a_quantized_network_goes_through_all_steps_in_order(model: Model, raw: np.ndarray) -> None:
    variant = model.variants["int8"]
    reference = Reference(variant.path)
    device = reference.run(prepare(raw, model.channels, reference.input_quantization))
    chain = Chain(model, variant, reference)
    stages = chain.stages(raw, device)
    assert [stage.name.split(",")[0].split(" 2")[0].split(" 0")[0] for stage in stages] == [
        "as trained on LiteRT",
        "int8 on LiteRT",
        "int8 on LiteRT",
        "int8 on tflite-micro",
        "int8 on the device",
    ]
    assert chain.notes == []
    steps = attribute(stages, model.meaning, [None] * len(raw))
    # At the border of two classes the trained and the quantized network differ by many steps of the softmax.
    assert 0 < steps[1].max_abs_diff < 0.5
    # A softmax rises by at most a quarter of what its input does; LiteRT rounds that in two steps instead of one.
    softmax = reference.graph.operators[-1]
    step = float(reference.graph.tensors[softmax.inputs[0]].scales[0])
    assert steps[3].max_abs_diff <= step / 4 + 2 / 256
    assert steps[4].max_abs_diff == 0
    # Outputs are real numbers, here probabilities. A forgotten scale or zero point would change their sum.
    for each in stages:
        assert each.outputs.sum(axis=1) == pytest.approx(np.ones(len(raw)), abs=0.01)


@needs_litert
def test_reference_kernels_are_nearer_to_tflm_than_the_default_ones() -> None:
    path = load_models(ROOT)["gesture_cnn"].variants["int8"].path
    inputs = np.random.default_rng(0).integers(-128, 128, (60, 30, 6)).astype(np.int8)
    expected = Reference(path).run(inputs)
    default, reference = (LiteRt(path, kernels).run(inputs) != expected for kernels in (False, True))
    assert reference.sum() < default.sum()


@needs_litert
def test_a_float_network_is_what_was_trained(model: Model, raw: np.ndarray) -> None:
    variant = model.variants["float32"]
    reference = Reference(variant.path)
    chain = Chain(model, variant, reference)
    stages = chain.stages(raw, reference.run(prepare(raw, model.channels, reference.input_quantization)))
    assert [stage.name.split(" ")[0] for stage in stages] == ["float32"] * 4
    assert max(step.max_abs_diff for step in attribute(stages, model.meaning, [None] * len(raw))) < 1e-4


def test_without_litert_the_other_steps_remain_and_a_note_says_how_to_install_it(
    model: Model, raw: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litert, "PACKAGE", "no_such_package")
    reference = Reference(model.variants["int8"].path)
    chain = Chain(model, model.variants["int8"], reference)
    assert chain.notes == ["LiteRT is not installed; to include its steps: pip install 'tflm-hil[attribution]'"]
    stages = chain.stages(raw, reference.run(prepare(raw, model.channels, reference.input_quantization)))
    assert [stage.name for stage in stages] == [f"int8 on {reference.name}", "int8 on the device"]


@needs_litert
def test_without_the_trained_network_the_chain_begins_with_the_quantized_network(model: Model) -> None:
    variant = model.variants["int8"]
    chain = Chain(msgspec.structs.replace(model, trained=None), variant, Reference(variant.path))
    assert chain.notes == ["model.toml names no `trained` network, so the effect of quantization is unknown"]


@needs_litert
def test_a_network_that_litert_refuses_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "nonsense.tflite"
    path.write_bytes(b"TFL3" * 10)
    with pytest.raises(
        HilError, match=r"nonsense\.tflite: LiteRT refuses it \(.*\); convert the model again"
    ) as raised:
        LiteRt(path)
    assert "\n" not in str(raised.value)


@needs_litert
def test_windows_must_fit_the_network(model: Model) -> None:
    with pytest.raises(HilError, match=r"takes 180 x int8 per window, not 174 x int8; correct window or channels"):
        LiteRt(model.variants["int8"].path).run(np.zeros((2, 29, 6), np.int8))
