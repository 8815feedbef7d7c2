"""Tolerance: how far device and reference may differ in each tensor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.compiler.operators.activations import FLOAT_ULP_BOUNDS
from tflm_hil.compiler.operators.softmax import float_ulp_bound
from tflm_hil.models.tflite_file import Graph, Operator, TensorType

LOOSE = 1e-4
"""The tolerance without a bound in ULP, as a fraction of the largest finite magnitude in the tensor."""

# Operators that move, select or limit elements: their outputs are off by at most as many ULP as their inputs.
_PASSING = frozenset(
    {"CONCATENATION", "EXPAND_DIMS", "MAX_POOL_2D", "PACK", "PAD", "PADV2", "RELU", "RELU6", "RESHAPE", "SLICE"}
    | {"SPLIT", "SPLIT_V", "SQUEEZE", "STRIDED_SLICE", "TRANSPOSE", "UNPACK"}
)


# The C libraries of host and device round these differently.
_LIBRARY = frozenset({"COS", "EXP", "GELU", "LOG", "LOG_SOFTMAX", "POW", "SIN"})


@dataclass(frozen=True)
class Tolerance:
    """The largest allowed difference of a tensor: `ulp`, or `LOOSE` if that is None.

    There is no bound in ULP for sums of inexact numbers, because these may cancel each other out, and none for
    functions of the C library. Integers must be equal, except those computed from inexact numbers: rounding may then
    move them by one step.
    """

    ulp: int | None = 0

    def exceeded(self, device: NDArray[Any], reference: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which elements of `device` are too far from `reference`; both have the same shape and type."""
        if device.dtype != np.float32:
            steps = 0 if self.ulp == 0 else 1
            return np.asarray(np.abs(device.astype(np.int64) - reference.astype(np.int64)) > steps)
        distance = ulp_distance(device, reference)
        if self.ulp is not None:
            return np.asarray(distance > self.ulp)
        largest = np.abs(reference).max(initial=0.0, where=np.isfinite(reference))
        with np.errstate(invalid="ignore"):
            near = np.abs(device.astype(np.float64) - reference) <= LOOSE * largest
        return np.asarray(~near & (distance > 0))


def ulp_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the number of float32 steps from a to b, per element; 2^32 if only one of them is NaN.

    IEEE 754 orders floats of one sign like their bit patterns, so the distance is the difference of the bit patterns
    after those of negative numbers have been mirrored.
    """

    def ordered(x: NDArray[np.float32]) -> NDArray[np.int64]:
        bits = np.ascontiguousarray(x, np.float32).view(np.int32).astype(np.int64)
        return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)

    distance = np.abs(ordered(a) - ordered(b))
    return np.where(np.isnan(a) != np.isnan(b), np.int64(2**32), np.where(np.isnan(a), np.int64(0), distance))


def tolerances(graph: Graph) -> dict[int, Tolerance]:
    """Return the tolerance of every tensor by its index, if the inputs of the network are equal.

    Engines compute everything in the same order as TFLM, so only tensors that depend on e^x or similar may differ.
    """
    found = {tensor.index: Tolerance() for tensor in graph.tensors}
    for operator in graph.operators:
        inputs = [found[index].ulp for index in operator.inputs if index >= 0]
        exact = all(ulp == 0 for ulp in inputs)
        bound: int | None = None
        if exact:
            bound = _own_ulp(operator, graph)
        elif operator.kind in _PASSING and None not in inputs:
            bound = max(ulp for ulp in inputs if ulp is not None)
        found |= dict.fromkeys(operator.outputs, Tolerance(bound))
    return found


def _own_ulp(operator: Operator, graph: Graph) -> int | None:
    """By how many ULP the outputs of `operator` may differ if its inputs are equal; None if that is unknown."""
    if not any(graph.tensors[index].type == TensorType.FLOAT32 for index in operator.inputs if index >= 0):
        return 0
    if operator.kind == "SOFTMAX":
        return float_ulp_bound(graph.tensors[operator.outputs[0]].shape[-1])
    return None if operator.kind in _LIBRARY else FLOAT_ULP_BOUNDS.get(operator.kind, 0)
