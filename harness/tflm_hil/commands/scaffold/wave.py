"""The network and the recordings of a project whose owner has none yet: is a hand waving?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

LABELS = ("wave", "still")
CHANNELS = ("aX", "aY")
WINDOW, STRIDE = 8, 4
SAMPLE_RATE_HZ = 50.0

INPUTS = WINDOW * len(CHANNELS)
HIDDEN = 2 * (WINDOW - 1) * len(CHANNELS)
INPUT_SCALE, HIDDEN_SCALE, OUTPUT_SCALE, WEIGHT_SCALE = 1 / 256, 0.5 / 255, 1 / 256, 1 / 127
INPUT_ZERO, HIDDEN_ZERO, OUTPUT_ZERO = -128, -128, 0
THRESHOLD = 0.1
"""As much movement in a window, of the range of -4 g to 4 g, is a wave."""

_RELU = 1


def weights() -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int32]]:
    """The weights of the hidden layer, those of the output layer, and its biases.

    Hidden units see rises and falls from one row to the next; their sum is how much moved.
    """
    first = np.zeros((HIDDEN, INPUTS), np.int8)
    for unit in range(HIDDEN):
        step, sign = unit // 2, 127 if unit % 2 else -127
        first[unit, step + len(CHANNELS)], first[unit, step] = sign, -sign
    second = np.full((len(LABELS), HIDDEN), 127, np.int8)
    second[1] = -127
    bias = round(THRESHOLD / (HIDDEN_SCALE * WEIGHT_SCALE))
    return first, second, np.array([-bias, bias], np.int32)


def network() -> bytes:
    """The .tflite: dense 16-28-2, ReLU, int8."""
    first, second, biases = weights()
    tensors = [
        TensorSpec([1, INPUTS], TensorType.INT8, [INPUT_SCALE], [INPUT_ZERO], name="window"),
        TensorSpec([HIDDEN, INPUTS], TensorType.INT8, [WEIGHT_SCALE], data=first, name="changes"),
        TensorSpec([1, HIDDEN], TensorType.INT8, [HIDDEN_SCALE], [HIDDEN_ZERO], name="moved"),
        TensorSpec([2, HIDDEN], TensorType.INT8, [WEIGHT_SCALE], data=second, name="sum"),
        TensorSpec([2], TensorType.INT32, [HIDDEN_SCALE * WEIGHT_SCALE], data=biases, name="threshold"),
        TensorSpec([1, 2], TensorType.INT8, [OUTPUT_SCALE], [OUTPUT_ZERO], name="scores"),
    ]
    operators = [
        OperatorSpec("FULLY_CONNECTED", [0, 1, -1], [2], {"FusedActivationFunction": _RELU}),
        OperatorSpec("FULLY_CONNECTED", [2, 3, 4], [5]),
    ]
    return build(tensors, operators, [0], [5])


def recordings() -> dict[str, str]:
    """A CSV file for each label, in g: someone waves at 2 Hz, and someone holds still; the sensor is noisy."""
    dice = np.random.default_rng(1)
    time = np.arange(160) / SAMPLE_RATE_HZ
    files = {}
    for label, amplitude in zip(LABELS, (1.2, 0.01), strict=True):
        x = amplitude * np.sin(2 * np.pi * 2 * time) + dice.normal(0, 0.004, time.size)
        y = amplitude * np.cos(2 * np.pi * 2 * time) + 1 + dice.normal(0, 0.004, time.size)
        rows = (f"{a:.4f},{b:.4f}" for a, b in zip(x, y, strict=True))
        files[label] = "\n".join([",".join(CHANNELS), *rows]) + "\n"
    return files
