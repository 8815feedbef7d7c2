"""Whether a network is what its manifest says: told from the file, before anything is built."""

from __future__ import annotations

import numpy as np

from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model
from tflm_hil.models.preprocess import Quantization
from tflm_hil.models.tflite_file import Graph, Tensor, TensorType

FED = (TensorType.FLOAT32, TensorType.INT8, TensorType.UINT8, TensorType.INT16)
"""What firmware/lib/windowing writes, and what there are stimuli of."""


def check_fit(model: Model, graph: Graph) -> None:
    """Raises HilError, naming the manifest, where `graph` has an input that nothing can feed, or is not as it says."""
    name = model.directory / "model.toml"
    for index in graph.inputs:
        kind = graph.tensors[index].type
        if kind not in FED:
            known = ", ".join(each.name for each in FED)
            raise HilError(
                f"{name}: the network's input is {kind.name}, and nothing here can feed it; convert it for {known}"
            )
    if not model.windowed:
        return
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise HilError(
            f"{name}: the network has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, and windows take "
            "one of each; leave out window, stride, sample_rate_hz, channels, recordings and labels to write its "
            "inputs as tensors"
        )
    source, output = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    problem = wrong_layout(model, source) or model.meaning.misfit(output.elements) or _idle_threshold(model, output)
    if problem:
        raise HilError(f"{name}: {problem}")
    if model.meaning.labels and output.type is not TensorType.FLOAT32 and not len(output.scales):
        raise HilError(f"{name}: the network's output is {output.type.name} without a scale; convert the model again")


def _idle_threshold(model: Model, output: Tensor) -> str:
    """Why a threshold of `model` decides nothing: no value of the quantized `output`, or every one, reaches it."""
    thresholds = model.output.threshold if model.output else None
    if thresholds is None or output.type.dtype is None or len(output.scales) != 1:
        return ""
    limits = np.iinfo(output.type.dtype)
    quantization = Quantization(output.type.dtype, float(output.scales[0]), int(output.zero_points[0]))
    lowest, highest = quantization.real(np.array([limits.min, limits.max])).tolist()
    for threshold in thresholds if isinstance(thresholds, list) else [thresholds]:
        if not lowest < threshold <= highest:
            return (
                f"[output] threshold {threshold:g} decides nothing: the network's output goes from {lowest:.6g} to "
                f"{highest:.6g}; correct it"
            )
    return ""


def wrong_layout(model: Model, source: Tensor) -> str:
    """Why the network's input `source` does not take the windows of `model` in its layout; empty where it does.

    Dimension by dimension, but for those of 1, which a batch and an image of one column or channel add. A flat input
    takes the values one after another in the order of `layout`. Where there are as many rows as channels, nobody can
    see which is which.
    """
    window, channels = model.window, len(model.channels)
    shape = [1 if size < 0 else size for size in source.shape]
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
            return f'{said}, which is {meant}; say layout = "{layout}"'
    return f"{said}; correct window or channels"
