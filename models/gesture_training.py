"""Train the gesture networks on simulated sessions and export them to .tflite.

The sessions come from the simulation behind recordings/gesture, but with other seeds: no committed recording is used
for training. A network with two outputs has no output for pauses. Windows without movement are trained towards one
half for both outputs, so an application can recognize a pause by its low scores.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tflm_hil.models.manifest import Model, load_model
from tflm_hil.models.preprocess import normalize
from tflm_hil.recordings.windows import window_labels, windows

from recordings.gesture import simulate

SEED = 20_000
SESSIONS = 1500
"""Single sessions of each gesture."""
CONTINUOUS = 60
"""Continuous sessions of simulate.CONTINUOUS_ROWS rows."""
EPOCHS = 40

Counts = NDArray[np.int16]
Values = NDArray[np.float32]


def one_hot(model: Model, label: str | None) -> Values:
    """Return the target of a window: 1 for its label; equal values for all labels if nobody moves."""
    if label is None:
        return np.full(len(model.labels), 1.0 / len(model.labels), dtype=np.float32)
    return np.array([name == label for name in model.labels], dtype=np.float32)


def training_set(model: Model) -> tuple[Values, Values]:
    """Return normalized windows [n, window, channels] and their targets [n, labels]."""
    rng = np.random.default_rng(SEED)
    blocks: list[Counts] = []
    targets: list[Values] = []
    for label in model.labels:
        for _ in range(SESSIONS):
            blocks.append(simulate.simulate_session(rng, label))
            targets.append(one_hot(model, label))
    for _ in range(CONTINUOUS):
        samples, names = simulate.simulate_continuous(rng, simulate.CONTINUOUS_ROWS)
        labels = window_labels([name or None for name in names], model.window, model.stride)
        for index, block in enumerate(windows(samples, model.window, model.stride)):
            start = index * model.stride
            # Leave out windows with a gesture in less than half of their rows: they are neither gesture nor pause.
            if labels[index] is not None or not any(names[start : start + model.window]):
                blocks.append(block)
                targets.append(one_hot(model, labels[index]))
    return normalize(np.stack(blocks), model.channels), np.stack(targets)


def export(network: Any, inputs: Values, int8: bool) -> bytes:
    """Return `network` as a .tflite with a batch of one; `int8` quantizes all tensors, also input and output."""
    one = tf.keras.Input(batch_shape=(1, *inputs.shape[1:]))
    converter = tf.lite.TFLiteConverter.from_keras_model(tf.keras.Model(one, network(one)))
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([row[None]] for row in inputs[:: len(inputs) // 500])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        # One scale per weight matrix: before September 2024, TFLM silently ignores all scales but the first.
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    content: bytes = converter.convert()
    return content


def train(directory: Path, build: Callable[[Model], Any]) -> None:
    """Train the network of `build` for the model in `directory`; write its `trained` file and its int8 variant.

    Prints the accuracy on the training data; the suite measures the rest.
    """
    tf.keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    model = load_model(directory, directory.parent.parent / "recordings")
    windowed, targets = training_set(model)
    network = build(model)
    inputs = windowed.reshape(len(windowed), *network.input_shape[1:])
    network.compile(optimizer=tf.keras.optimizers.Adam(1e-3), loss="categorical_crossentropy")
    network.fit(inputs, targets, epochs=EPOCHS, batch_size=64, verbose=2)

    decided = targets.max(axis=1) == 1.0
    right = network.predict(inputs, verbose=0).argmax(axis=1) == targets.argmax(axis=1)
    print(f"{network.count_params()} parameters")
    print(f"{len(inputs)} windows, of them {decided.sum()} of a gesture: {right[decided].mean():.2%} right")
    assert model.trained is not None, "model.toml must name the trained network"
    for path, int8 in ((model.trained, False), (model.variants["int8"].path, True)):
        aside = path.with_suffix(".part")
        aside.write_bytes(export(network, inputs, int8))
        aside.replace(path)
