"""The image that a board is given to capture with: our firmware around a network that does nothing.

A newcomer has no network yet, and the firmware needs one. Its application reads the sensor all the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tflm_hil.capture.setup import CHANNELS
from tflm_hil.files import write_bytes
from tflm_hil.models.manifest import Model, Variant
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType
from tflm_hil.recordings.channel import Channel

NAME = "capture"

_STRIDE = 60_000
"""So rarely the network runs: nobody wants to know what it answers."""


def capture_model(folder: Path) -> Model:
    """Return a model whose network reshapes a row of the sensor; its file is written into `folder`.

    Raises InfrastructureError if that cannot be written to.
    """
    row = len(CHANNELS)
    content = build(
        [
            TensorSpec((1, row), TensorType.INT8, [1.0], [0], name="row"),
            TensorSpec((2,), TensorType.INT32, data=np.array([1, row], np.int32), name="shape"),
            TensorSpec((1, row), TensorType.INT8, [1.0], [0], name="same"),
        ],
        [OperatorSpec("RESHAPE", [0, 1], [2])],
        [0],
        [2],
    )
    path = folder / f"{NAME}.tflite"
    write_bytes(path, content)
    return Model(
        name=NAME,
        description="reads the sensor",
        labels=[],
        window=1,
        stride=_STRIDE,
        sample_rate_hz=1.0,  # It is told nobody, and each sensor has its own.
        channels=[Channel(name, "raw", normalize="counts") for name in CHANNELS],
        recordings=None,
        variants={"int8": Variant("int8", path, {})},
        directory=folder,
    )
