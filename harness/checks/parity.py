"""Parity: does the device answer what the Python model answers?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.compiler.operators.softmax import float_ulp_bound


@dataclass(frozen=True)
class Mismatch:
    """A window on which the two differ by more than is allowed. `first_row` counts rows of the recording."""

    recording: str
    window: int
    first_row: int
    device: tuple[float, ...]
    reference: tuple[float, ...]
    device_label: str
    reference_label: str

    def __str__(self) -> str:
        return (
            f"window {self.window} of {self.recording} (from row {self.first_row}): "
            f"device {self.device_label} {list(self.device)}, reference {self.reference_label} {list(self.reference)}"
        )


@dataclass(frozen=True)
class Parity:
    """The comparison of `windows` windows. `max_abs_diff` is in the output's own unit: LSB for integers.

    `labelled` windows have a known truth, of which `correct_device` and `correct_reference` were found.
    """

    windows: int
    label_mismatches: int
    bit_exact: bool
    max_abs_diff: float
    max_ulp: int
    labelled: int
    correct_device: int
    correct_reference: int
    mismatches: tuple[Mismatch, ...]


def ulp_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.int64]:
    """How many float32 numbers lie between a and b, element by element; NaN against a number is 2^32.

    IEEE 754 orders floats of one sign like their bit patterns, so the distance is the difference of the patterns after
    the negative half has been mirrored.
    """

    def ordered(x: NDArray[np.float32]) -> NDArray[np.int64]:
        bits = np.ascontiguousarray(x, np.float32).view(np.int32).astype(np.int64)
        return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)

    distance = np.abs(ordered(a) - ordered(b))
    return np.where(np.isnan(a) != np.isnan(b), np.int64(2**32), np.where(np.isnan(a), np.int64(0), distance))


def compare(
    recording: str,
    device: NDArray[np.generic],
    reference: NDArray[np.generic],
    labels: Sequence[str],
    truth: Sequence[str | None],
    stride: int,
) -> Parity:
    """Compare the outputs of one recording, both [windows, outputs] of the same type.

    Integers must be equal; float32 may differ as far as the exponentials of a softmax over these outputs allow
    (`float_ulp_bound`), all else being computed in the same order; the label (first largest output) must be equal in
    any case. `truth` holds the right label of each window where it is known.

    Raises:
        ValueError: the shapes or types differ.
    """
    if device.shape != reference.shape or device.dtype != reference.dtype:
        raise ValueError(
            f"{recording}: device {device.shape} {device.dtype}, reference {reference.shape} {reference.dtype}"
        )
    wide_device, wide_reference = device.astype(np.float64), reference.astype(np.float64)
    if device.dtype == np.float32:
        ulp = ulp_distance(device.astype(np.float32), reference.astype(np.float32)).max(axis=1, initial=0)
        outputs_differ = ulp > float_ulp_bound(device.shape[1])
        max_ulp = int(ulp.max(initial=0))
    else:
        outputs_differ = (device != reference).any(axis=1)
        max_ulp = 0
    picked_device = wide_device.argmax(axis=1)
    picked_reference = wide_reference.argmax(axis=1)
    labels_differ = picked_device != picked_reference
    known = [(index, label) for index, label in enumerate(truth) if label is not None]
    return Parity(
        windows=len(device),
        label_mismatches=int(labels_differ.sum()),
        bit_exact=device.tobytes() == reference.tobytes(),
        max_abs_diff=float(np.abs(wide_device - wide_reference).max(initial=0.0)),
        max_ulp=max_ulp,
        labelled=len(known),
        correct_device=sum(labels[picked_device[index]] == label for index, label in known),
        correct_reference=sum(labels[picked_reference[index]] == label for index, label in known),
        mismatches=tuple(
            Mismatch(
                recording,
                int(index),
                int(index) * stride,
                tuple(device[index].tolist()),
                tuple(reference[index].tolist()),
                labels[picked_device[index]],
                labels[picked_reference[index]],
            )
            for index in np.flatnonzero(outputs_differ | labels_differ)
        ),
    )


def combine(parts: Sequence[Parity]) -> Parity:
    """The comparisons of several recordings as one."""
    return Parity(
        windows=sum(part.windows for part in parts),
        label_mismatches=sum(part.label_mismatches for part in parts),
        bit_exact=all(part.bit_exact for part in parts),
        max_abs_diff=max((part.max_abs_diff for part in parts), default=0.0),
        max_ulp=max((part.max_ulp for part in parts), default=0),
        labelled=sum(part.labelled for part in parts),
        correct_device=sum(part.correct_device for part in parts),
        correct_reference=sum(part.correct_reference for part in parts),
        mismatches=tuple(mismatch for part in parts for mismatch in part.mismatches),
    )
