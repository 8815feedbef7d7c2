"""The networks that `hil train` can train, by what `--arch` calls them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tflm_hil.errors import HilError
from tflm_hil.models.manifest import Model
from tflm_hil.training.keras import tensorflow

HIDDEN = (50, 15)
"""The hidden units in Ranjith M S and S Parameshwara, "Optimizing Neural Networks for Embedded Systems"."""


@dataclass(frozen=True)
class Architecture:
    """A kind of network: how to `build` it for a model, `about` it in words, and for how many `epochs` to train it."""

    build: Callable[[Model], Any]
    about: str
    epochs: int


def dense(model: Model, hidden: Sequence[int] = HIDDEN) -> Any:
    """Return a dense network with these `hidden` layers (ReLU) and a softmax; the default is that of the paper."""
    keras = tensorflow().keras
    sizes = enumerate(hidden, start=1)
    return keras.Sequential(
        [
            keras.Input((model.window * len(model.channels),), name="window"),
            *(keras.layers.Dense(units, activation="relu", name=f"hidden_{number}") for number, units in sizes),
            keras.layers.Dense(len(model.labels), activation="softmax", name="scores"),
        ],
        name="network",
    )


def convolutional(model: Model) -> Any:
    """Return convolutions along time: a plain one, a separable one with stride 2, a separable one with a shortcut.

    They are two-dimensional with a width of 1, because TFLite has no other kind. Raises HilError for windows of another
    layout than channels-last.
    """
    if model.layout != "channels-last":
        raise HilError(f"{model.directory / 'model.toml'}: --arch=cnn takes layout channels-last; train --arch=dense")
    keras = tensorflow().keras
    layers = keras.layers
    window = keras.Input((model.window, len(model.channels)), name="window")
    x = layers.Reshape((model.window, 1, len(model.channels)), name="column")(window)
    x = layers.Conv2D(16, (5, 1), padding="same", activation="relu", name="plain")(x)
    x = layers.DepthwiseConv2D((5, 1), strides=2, padding="same", activation="relu", name="halve")(x)
    x = shortcut = layers.Conv2D(24, 1, activation="relu", name="mix_1")(x)
    x = layers.DepthwiseConv2D((3, 1), padding="same", activation="relu", name="smooth")(x)
    x = layers.Conv2D(24, 1, name="mix_2")(x)
    x = layers.ReLU(name="sum")(layers.Add(name="shortcut")([x, shortcut]))
    x = layers.MaxPooling2D((2, 1), padding="same", name="strongest")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    scores = layers.Dense(len(model.labels), activation="softmax", name="scores")(x)
    return keras.Model(window, scores, name="network")


ARCHITECTURES = {
    "dense": Architecture(dense, f"dense, hidden layers of {HIDDEN[0]} and {HIDDEN[1]} with ReLU, softmax", 600),
    "cnn": Architecture(convolutional, "plain and separable convolutions along time, softmax", 100),
}


def architecture(name: str) -> Architecture:
    """Return the architecture `name`. Raises HilError, which lists them, if there is none."""
    if name not in ARCHITECTURES:
        raise HilError(f"--arch={name}: no such network; choose {' or '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name]
