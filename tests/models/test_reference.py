"""TFLM on the host computes the output of every window, and refuses bad networks with one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.counted_reference import count_inferences
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model, load_models
from tflm_hil.models.preprocess import prepare
from tflm_hil.models.reference import Reference
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType
from tflm_hil.recordings import load_recordings, windows

ROOT = Path(__file__).parents[2]
EXTERNAL = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def model() -> Model:
    return load_models(ROOT)["gesture"]


@pytest.fixture
def network(model: Model) -> Any:
    """The committed int8 network, to be damaged."""
    return schema.ModelT.InitFromObj(schema.Model.GetRootAs(model.variants["int8"].path.read_bytes(), 0))


def save(network: Any, path: Path) -> Path:
    builder = schema.flatbuffers.Builder(0)
    builder.Finish(network.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return path


@pytest.mark.parametrize(
    ("name", "variant"),
    [("gesture", "float32"), ("gesture", "int8"), ("gesture_cnn", "int8"), ("five_gestures", "int8")],
)
def test_the_committed_networks_recognize_the_gestures(name: str, variant: str) -> None:
    model = load_models(ROOT)[name]
    reference = Reference(model.variants[variant].path)
    right: list[bool] = []
    assert model.recordings is not None
    for recording in load_recordings(model.recordings, model.channels, model.window):
        raw = windows(recording.samples, model.window, model.stride)
        outputs = reference.run(prepare(raw, model.channels, reference.input_quantization))
        assert outputs.shape == (len(raw), len(model.labels))
        assert outputs.dtype == variant
        truth = recording.window_labels(model.window, model.stride)
        found = [model.labels[index] for index in outputs.argmax(axis=1)]
        right.extend(label == wanted for label, wanted in zip(found, truth, strict=True) if wanted)
    assert len(right) > 300
    assert np.mean(right) > 0.95


def test_the_same_inputs_are_computed_only_once(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = count_inferences(monkeypatch)
    reference = Reference(model.variants["int8"].path)
    inputs = np.random.default_rng(1).integers(-128, 128, (5, 30, 6)).astype(np.int8)
    apart = [reference.infer([window])[0] for window in inputs]
    np.testing.assert_array_equal(reference.run(inputs), np.concatenate(apart))
    np.testing.assert_array_equal(reference.run(inputs[::-1])[::-1], np.concatenate(apart))
    assert counted.most_common(1)[0][1] == 1
    assert len(counted) == 5
    with pytest.raises(ValueError, match="read-only"):
        apart[0][...] = 0


def test_outputs_do_not_depend_on_what_ran_before(model: Model) -> None:
    reference = Reference(model.variants["int8"].path)
    inputs = np.random.default_rng(1).integers(-128, 128, (5, 30, 6)).astype(np.int8)
    together = reference.run(inputs)
    assert np.array_equal(reference.run(inputs[::-1])[::-1], together)
    assert len({output.tobytes() for output in together}) > 1


def test_the_reference_names_its_version(model: Model) -> None:
    name, version = Reference(model.variants["int8"].path).name.split()
    assert name == "tflite-micro"
    assert version[0].isdigit()


@pytest.mark.parametrize("inputs", [np.zeros((2, 29, 6), np.int8), np.zeros((2, 30, 6), np.float32)])
def test_windows_must_fit_the_network(model: Model, inputs: Any) -> None:
    with pytest.raises(HilError, match=r"gesture_int8\.tflite: takes 180 x int8 per window, not .*; correct window"):
        Reference(model.variants["int8"].path).run(inputs)


def refusal(path: Path) -> str:
    with pytest.raises(HilError) as raised:
        Reference(path)
    said = str(raised.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    return said


def test_an_operator_that_tflm_lacks(network: Any, tmp_path: Path) -> None:
    network.operatorCodes[0].builtinCode = network.operatorCodes[0].deprecatedBuiltinCode = schema.BuiltinOperator.RNN
    network.subgraphs[0].operators[0].builtinOptionsType = 0
    network.subgraphs[0].operators[0].builtinOptions = None
    assert "TFLM refuses it: Didn't find op for builtin opcode 'RNN'" in refusal(save(network, tmp_path / "rnn.tflite"))


def test_a_network_that_crashes_tflm(network: Any, tmp_path: Path) -> None:
    """Shapes that contradict each other make TFLM read beyond its buffers."""
    network.subgraphs[0].tensors[7].shape = [1, 8388658]
    assert "TFLM crashes on it" in refusal(save(network, tmp_path / "shape.tflite"))


@pytest.fixture
def several(network: Any, tmp_path: Path) -> Reference:
    """A network with two outputs, one of them that of the second layer."""
    network.subgraphs[0].outputs = [9, 10]
    return Reference(save(network, tmp_path / "two.tflite"))


def test_every_output_and_every_tensor_of_an_inference(several: Reference) -> None:
    values = np.random.default_rng(2).integers(-128, 128, 180).astype(np.int8)
    outputs, tensors = several.infer([values]), several.tensors([values])
    assert [(spec.shape, spec.dtype.name) for spec in several.outputs] == [((1, 3), "int8"), ((1, 3), "int8")]
    assert [output.shape for output in outputs] == [(1, 3), (1, 3)]
    assert sorted(tensors) == [7, 8, 9, 10]
    assert all(np.array_equal(output, tensors[index]) for output, index in zip(outputs, (9, 10), strict=True))
    # Compute the first layer again in float64: the result must be at most half a step off.
    graph = several.graph
    weights, bias, layer = (
        graph.tensors[graph.operators[0].inputs[1]],
        graph.tensors[graph.operators[0].inputs[2]],
        graph.tensors[7],
    )
    assert weights.data is not None
    assert bias.data is not None
    scale = float(several.inputs[0].quantization.scale) * float(weights.scales[0])
    centred = values.astype(np.int64) - several.inputs[0].quantization.zero_point
    real = scale * (weights.data.astype(np.int64) @ centred + bias.data) / float(layer.scales[0])
    assert np.abs(np.clip(real + int(layer.zero_points[0]), -128, 127) - tensors[7][0]).max() < 0.51
    with pytest.raises(HilError, match="takes 180 x int8, not 179 x int8"):
        several.infer([values[1:]])


def test_a_network_with_two_outputs_takes_no_windows(several: Reference) -> None:
    with pytest.raises(HilError, match="has 1 inputs and 2 outputs, but windows need one of each"):
        several.run(np.zeros((1, 30, 6), np.int8))


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (TensorSpec([3, 4], TensorType.FLOAT32, data=np.ones(5, np.float32), sparse=True), "is sparse"),
        (TensorSpec([3, 4], TensorType.FLOAT32, external=True), "lies outside the flatbuffer"),
        (TensorSpec([3, 4], TensorType.FLOAT32, variable=True), "keeps state between inferences"),
        (TensorSpec([], TensorType.RESOURCE), "keeps state between inferences"),
    ],
)
def test_tensors_that_tflm_would_misread_or_remember(odd: TensorSpec, reason: str, tmp_path: Path) -> None:
    tensors = [TensorSpec([1, 4], TensorType.FLOAT32), odd, TensorSpec([1, 3], TensorType.FLOAT32)]
    path = tmp_path / "odd.tflite"
    path.write_bytes(build(tensors, [OperatorSpec("FULLY_CONNECTED", [0, 1], [2])], [0], [2]))
    with pytest.raises(HilError, match=rf"odd\.tflite: tensor 1 \('t'\) {reason}"):
        Reference(path)


@pytest.mark.parametrize("content", [b"", b"TFL3" * 10])
def test_invalid_files_are_never_tried(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "nonsense.tflite"
    path.write_bytes(content)
    refusal(path)


@pytest.mark.external
@pytest.mark.parametrize(
    "name",
    [
        "punch-uppercut/gesture_model",
        "magic-wand/magic_wand",
        "magic-wand/micro_speech_quantized",
        "mlperf-tiny/ad01_int8",
        "mlperf-tiny/pretrainedResnet_quant",
    ],
)
def test_public_networks(name: str) -> None:
    path = EXTERNAL / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"{path} does not exist")
    reference = Reference(path)
    inputs = np.zeros((2, *reference.input_shape[1:]), reference.input_quantization.dtype)
    assert len(reference.run(inputs)) == 2


@pytest.mark.external
def test_a_hybrid_network() -> None:
    path = EXTERNAL / "refused" / "hybrid_weights.tflite"
    if not path.is_file():
        pytest.skip(f"{path} does not exist")
    assert "TFLM refuses it: Input type: FLOAT32 with filter type: INT8 not supported, Node FULLY" in refusal(path)
