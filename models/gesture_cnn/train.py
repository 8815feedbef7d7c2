"""Train the convolutional gesture network on the same simulated sessions as models/gesture.

Run it from the project's root with the `train` extra installed:

    pip install -e .[train]
    python -m models.gesture_cnn.train
"""

from pathlib import Path
from typing import Any

import tensorflow as tf
from tflm_hil.models.manifest import Model

from models.gesture_training import train


def build(model: Model) -> Any:
    """Return convolutions along time: a plain one, a separable one with stride 2, a separable one with a shortcut."""
    layers = tf.keras.layers
    window = tf.keras.Input((model.window, len(model.channels)))
    x = layers.Reshape((model.window, 1, len(model.channels)))(window)
    x = layers.Conv2D(16, (5, 1), padding="same", activation="relu")(x)
    x = layers.DepthwiseConv2D((5, 1), strides=2, padding="same", activation="relu")(x)
    x = shortcut = layers.Conv2D(24, 1, activation="relu")(x)
    x = layers.DepthwiseConv2D((3, 1), padding="same", activation="relu")(x)
    x = layers.Conv2D(24, 1)(x)
    x = layers.ReLU()(layers.Add()([x, shortcut]))
    x = layers.MaxPooling2D((2, 1))(x)
    x = layers.GlobalAveragePooling2D()(x)
    return tf.keras.Model(window, layers.Dense(len(model.labels), activation="softmax")(x))


if __name__ == "__main__":
    train(Path(__file__).parent, build)
