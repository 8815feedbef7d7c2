"""Train the gesture network on simulated sessions and export its .tflite variants.

Run it from the project's root with the `train` extra installed:

    pip install -e .[train]
    python -m models.gesture.train
"""

from pathlib import Path
from typing import Any

import tensorflow as tf
from tflm_hil.models.manifest import Model

from models.gesture_training import train


def build(model: Model) -> Any:
    """Return the network of the paper: 180-50-15-2 for a window of 30 x 6."""
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((model.window * len(model.channels),)),
            layers.Dense(50, activation="relu"),
            layers.Dense(15, activation="relu"),
            layers.Dense(len(model.labels), activation="softmax"),
        ]
    )


if __name__ == "__main__":
    train(Path(__file__).parent, build)
