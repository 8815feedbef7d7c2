"""Compare a tensor of the device with the same tensor of the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.checks.tolerance import Tolerance, ulp_distance
from tflm_hil.models.preprocess import Quantization


@dataclass(frozen=True)
class Difference:
    """A tensor with `differing` of `elements` beyond the tolerance.

    The largest difference is at index `worst`; `device` and `reference` are the stored values there, and `quantization`
    says which real numbers they stand for.
    """

    differing: int
    elements: int
    worst: tuple[int, ...]
    device: float
    reference: float
    quantization: Quantization

    def __str__(self) -> str:
        worst = ", ".join(str(index) for index in self.worst)
        return (
            f"{self.differing:,} of {self.elements:,} elements differ; most at [{worst}]: "
            f"device {self._value(self.device)}, reference {self._value(self.reference)}"
        )

    def _value(self, stored: float) -> str:
        scale, zero_point = self.quantization.scale, self.quantization.zero_point
        if not scale:
            return f"{stored:.9g}"
        return f"{stored:g} ({scale * (stored - zero_point):.6g})"


def compare_tensor(
    device: NDArray[Any], reference: NDArray[Any], tolerance: Tolerance, quantization: Quantization
) -> Difference | None:
    """Return how the two tensors differ by more than `tolerance`; None if they do not.

    Raises:
        ValueError: the shapes or types differ.
    """
    if device.shape != reference.shape or device.dtype != reference.dtype:
        raise ValueError(f"device {device.shape} {device.dtype}, reference {reference.shape} {reference.dtype}")
    beyond = tolerance.exceeded(device, reference)
    if not beyond.any():
        return None
    with np.errstate(invalid="ignore"):
        distance = np.abs(device.astype(np.float64) - reference.astype(np.float64))
    distance = np.where(beyond, np.nan_to_num(distance, nan=np.inf), -1.0)
    worst = np.unravel_index(int(distance.argmax()), device.shape)
    return Difference(
        differing=int(beyond.sum()),
        elements=device.size,
        worst=tuple(int(index) for index in worst),
        device=device[worst].item(),
        reference=reference[worst].item(),
        quantization=quantization,
    )


def furthest(device: NDArray[Any], reference: NDArray[Any]) -> tuple[float, int]:
    """Return the largest distance of two tensors: absolute, in their unit, and in ULP (0 for integers)."""
    with np.errstate(invalid="ignore"):
        distance = np.abs(device.astype(np.float64) - reference.astype(np.float64))
    ulp = int(ulp_distance(device, reference).max(initial=0)) if device.dtype == np.float32 else 0
    return float(np.nan_to_num(distance, nan=np.inf).max(initial=0.0)), ulp
