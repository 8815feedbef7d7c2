"""Fit the weights of a network to windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.training.figures import Scores
from tflm_hil.training.keras import tensorflow

SMALLEST_BATCH = 32
"""That of Keras, which the paper does not change."""

MOST_STEPS = 64
"""Steps an epoch; larger sets have larger batches. 600 epochs of 20,000 windows then take less than a minute."""

PATIENCE = 50
"""Early stopping: so many epochs without a lower validation loss are the last."""

_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Examples:
    """Inputs of a network, float32[n, ...], and the wanted scores, one-hot float32[n, labels]."""

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]


@dataclass
class History:
    """Mean cross-entropy and accuracy of each epoch: over its batches, and afterwards over the validation windows."""

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)


Watch = Callable[[History], None]
"""Is told after each epoch."""


def seeded(seed: int) -> Any:
    """Return TensorFlow, made to compute the same on each run of the same machine, beginning with `seed`."""
    tf = tensorflow()
    tf.keras.backend.clear_session()
    tf.keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    return tf


def fit(
    network: Any, training: Examples, validation: Examples, epochs: int, seed: int, patience: int | None, watch: Watch
) -> History:
    """Train `network` with RMSprop and categorical cross-entropy, and leave it as it was after its best epoch.

    That is the one with the lowest validation loss, the first one of several. Batches are drawn with `seed`. With
    `patience`, so many epochs without a better one end the training.

    A whole epoch is one graph: Keras' own `fit` takes several times as long for networks as small as these.
    """
    tf = tensorflow()
    optimizer = tf.keras.optimizers.RMSprop()
    network.compile(optimizer=optimizer, loss="categorical_crossentropy", metrics=["accuracy"])
    optimizer.build(network.trainable_variables)
    epoch = _epoch(tf, network, optimizer, training, validation)
    rng = np.random.default_rng(seed)
    variables = [*network.variables, *optimizer.variables]
    history, best, kept = History(), 0, [variable.numpy() for variable in variables]
    for number in range(epochs):
        order = rng.permutation(len(training.inputs)).astype(np.int32)
        figures = [float(figure) for figure in epoch(tf.constant(order))]
        for values, figure in zip(vars(history).values(), figures, strict=True):
            values.append(figure)
        if history.val_loss[-1] < history.val_loss[best] or number == 0:
            best, kept = number, [variable.numpy() for variable in variables]
        watch(history)
        if patience is not None and number - best >= patience:
            break
    for variable, value in zip(variables, kept, strict=True):
        variable.assign(value)
    return history


def scores(network: Any, inputs: NDArray[np.float32]) -> Scores:
    """Return what `network` answers to `inputs`."""
    chunks = [inputs[start : start + _CHUNK] for start in range(0, len(inputs), _CHUNK)]
    return np.concatenate([network(chunk, training=False).numpy() for chunk in chunks]).astype(np.float64)


def _epoch(tf: Any, network: Any, optimizer: Any, training: Examples, validation: Examples) -> Any:
    """A function of the order of the training windows, which returns the four figures of History."""
    count = len(training.inputs)
    batch = max(SMALLEST_BATCH, -(-count // MOST_STEPS))
    inputs, targets = tf.constant(training.inputs), tf.constant(training.targets)
    val_inputs, val_targets = tf.constant(validation.inputs), tf.constant(validation.targets)
    losses, right = tf.keras.losses.categorical_crossentropy, tf.keras.metrics.categorical_accuracy

    def run(order: Any) -> Any:
        loss, hits = tf.constant(0.0), tf.constant(0.0)
        for start in tf.range(0, count, batch):
            rows = order[start : start + batch]
            wanted = tf.gather(targets, rows)
            with tf.GradientTape() as tape:
                answered = network(tf.gather(inputs, rows), training=True)
                each = losses(wanted, answered)
                mean = tf.reduce_mean(each)
            gradients = tape.gradient(mean, network.trainable_variables)
            optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
            loss += tf.reduce_sum(each)
            hits += tf.reduce_sum(right(wanted, answered))
        answered = network(val_inputs, training=False)
        return (
            loss / count,
            hits / count,
            tf.reduce_mean(losses(val_targets, answered)),
            tf.reduce_mean(right(val_targets, answered)),
        )

    return tf.function(run)
