"""Networks that compute shapes at run time, as converters write them if the batch is open."""

from __future__ import annotations

from typing import Any

import numpy as np
from tflm_hil.models.tflite_builder import OperatorSpec, TensorSpec, build
from tflm_hil.models.tflite_file import TensorType

INT8, INT32 = TensorType.INT8, TensorType.INT32


def constant(values: Any) -> TensorSpec:
    data = np.array(values, np.int32)
    return TensorSpec(data.shape, INT32, data=data)


def computed(*shape: int) -> TensorSpec:
    return TensorSpec(shape, INT32)


def flattened() -> bytes:
    """Keras' Flatten with an open batch: it takes the batch from the shape and packs it with the number of values."""
    tensors = [
        TensorSpec([1, 4, 3], INT8, [0.5], [3], signature=[-1, 4, 3]),
        constant([0]),
        constant([1]),
        constant(12),
        computed(3),
        computed(),
        computed(2),
        TensorSpec([1, 12], INT8, [0.5], [3], signature=[-1, 12]),
        TensorSpec([1, 12], INT8, [0.5], [3], signature=[-1, 12]),
    ]
    operators = [
        OperatorSpec("SHAPE", [0], [4], {"OutType": INT32}),
        OperatorSpec("STRIDED_SLICE", [4, 1, 2, 2], [5], {"ShrinkAxisMask": 1}),
        OperatorSpec("PACK", [5, 3], [6], {"ValuesCount": 2}),
        OperatorSpec("RESHAPE", [0, 6], [7]),
        OperatorSpec("RELU", [7], [8]),
    ]
    return build(tensors, operators, [0], [8])
