"""Check that a network and recordings fit a manifest, before anything is built."""

from __future__ import annotations

import numpy as np

from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model
from tflm_hil.models.preprocess import INPUT_TYPES, Quantization
from tflm_hil.models.tflite_file import Graph, Tensor, TensorType
from tflm_hil.recordings.loading import Recording


def check_fit(model: Model, graph: Graph) -> None:
    """Raise HilError, which names the manifest, if an input of `graph` has another type than INPUT_TYPES, or if
    `graph` contradicts the manifest."""
    name = model.directory / "model.toml"
    for index in graph.inputs:
        kind = graph.tensors[index].type
        if kind.dtype is None or kind.dtype.name not in INPUT_TYPES:
            known = ", ".join(each.upper() for each in INPUT_TYPES)
            raise HilError(
                f"{name}: an input of the network is {kind.name}, which is not supported; convert the model for {known}"
            )
    if not model.windowed:
        return
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise HilError(
            f"{name}: the network has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, but windows need "
            "one of each; to write its inputs as tensors, leave out window, stride, sample_rate_hz, channels, "
            "recordings and labels"
        )
    source, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    problem = (
        _wrong_layout(model, source)
        or model.meaning.wrong_outputs(output.elements)
        or _useless_threshold(model, output)
    )
    if problem:
        raise HilError(f"{name}: {problem}")
    if model.meaning.labels and output.type is not TensorType.FLOAT32 and not len(output.scales):
        raise HilError(f"{name}: the network's output is {output.type.name} without a scale; convert the model again")


def check_recording(model: Model, recording: Recording) -> None:
    """Raise HilError, which names the file, if `recording` has another rate or other labels than `model` takes."""
    if recording.sample_rate_hz != model.sample_rate_hz:
        raise HilError(
            f"{recording.file}: recorded at {recording.sample_rate_hz:g} Hz, but {model.name} expects "
            f"{model.sample_rate_hz:g} Hz; resample it, or correct the manifest that is wrong"
        )
    for label in sorted({recording.label, *(recording.row_labels or ())} - {None}, key=str):
        wanted = model.meaning.wrong_label(str(label))
        if wanted:
            raise HilError(f"{recording.file}: labelled {label!r}, but {model.name} takes {wanted}; correct the label")


def _useless_threshold(model: Model, output: Tensor) -> str:
    """Why a threshold decides nothing: no value of the quantized `output`, or each one, reaches it; empty if fine."""
    thresholds = model.output.threshold if model.output else None
    if thresholds is None or output.type.dtype is None or len(output.scales) != 1:
        return ""
    limits = np.iinfo(output.type.dtype)
    quantization = Quantization(output.type.dtype, float(output.scales[0]), int(output.zero_points[0]))
    lowest, highest = quantization.real(np.array([limits.min, limits.max])).tolist()
    for threshold in thresholds if isinstance(thresholds, list) else [thresholds]:
        if not lowest < threshold <= highest:
            return (
                f"[output] threshold {threshold:g} decides nothing: the network's output is between {lowest:.6g} and "
                f"{highest:.6g}; correct the threshold"
            )
    return ""


def _wrong_layout(model: Model, source: Tensor) -> str:
    """Why the network's input `source` does not take the windows of `model` in its layout; empty if it does.

    Dimensions of size 1 do not count: a batch adds one, and so does an image of one column or channel. A flat input
    takes the values in the order of `layout`. If there are as many rows as channels, a wrong layout goes unnoticed.
    """
    window, channels = model.window, len(model.channels)
    shape = list(source.static_shape)
    plain = [size for size in shape if size != 1]
    orders = {"channels-last": [window, channels], "channels-first": [channels, window]}
    squeezed = {layout: [size for size in order if size != 1] for layout, order in orders.items()}
    flat = [window * channels] if window * channels > 1 else []
    if plain in (squeezed[model.layout], flat):
        return ""
    said = f"window x channels is {window} x {channels}, but the network takes {shape}"
    for layout, order in squeezed.items():
        if plain == order:
            meant = "channels x window" if layout == "channels-first" else "window x channels"
            return f'{said}, which is {meant}; set layout = "{layout}"'
    return f"{said}; correct window or channels"
