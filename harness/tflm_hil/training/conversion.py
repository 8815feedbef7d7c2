"""Convert a Keras network to the kinds of .tflite that `hil quantize` makes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.training.keras import quiet, tensorflow

FLOAT32 = "float32"
KINDS = (FLOAT32, "float16", "dynamic", "int8", "int8_float_io", "int16x8")
"""As trained; weights as float16; only weights as int8, "dynamic range"; everything as int8, once with int8 and once
with float32 inputs and outputs; and activations as int16 with weights as int8."""

REPRESENTATIVE = 500
"""As many training windows, evenly spread, show the converter the range of each tensor."""


@contextmanager
def exported(network: Any) -> Iterator[Path]:
    """Write `network`, with a batch of one, as the SavedModel that converters read; it is gone at the end."""
    tf = tensorflow()
    window = tf.TensorSpec((1, *network.input_shape[1:]), tf.float32, name="window")
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    module.run = tf.function(lambda window: {"scores": network(window, training=False)}, input_signature=[window])
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        with quiet():
            tf.saved_model.save(module, folder, signatures=module.run.get_concrete_function())
        yield Path(folder)


def convert(saved_model: Path, kind: str, representative: NDArray[np.float32] | None = None) -> bytes:
    """Return the network that was `exported` as a .tflite of this `kind`.

    `representative` are inputs of the training side, [n, ...]; the three integer kinds need them.
    """
    tf = tensorflow()
    with quiet():
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
        _set_up(tf, converter, kind, representative)
        content: bytes = converter.convert()
    return content


def _set_up(tf: Any, converter: Any, kind: str, representative: NDArray[np.float32] | None) -> None:
    if kind == FLOAT32:
        return
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    # One scale for each weight matrix of a dense layer, though several would be finer: TFLM before September 2024 takes
    # the first of them for all, and says nothing. Convolutions keep a scale for each output channel.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    if kind in ("float16", "dynamic"):
        return
    assert representative is not None, f"{kind} needs representative inputs"
    inputs = representative

    def shown() -> Iterator[list[NDArray[np.float32]]]:
        for at in np.linspace(0, len(inputs) - 1, min(REPRESENTATIVE, len(inputs))).round().astype(int):
            yield [inputs[at][None]]

    converter.representative_dataset = shown
    sets = tf.lite.OpsSet
    if kind == "int16x8":
        wide = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [wide]
        converter.inference_input_type = converter.inference_output_type = tf.int16
        return
    converter.target_spec.supported_ops = [sets.TFLITE_BUILTINS_INT8]
    if kind == "int8":
        converter.inference_input_type = converter.inference_output_type = tf.int8
