"""Parity: compare the answers of the device with those of the reference."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from tflm_hil.checks.confusion import Confusions, confusions
from tflm_hil.checks.tensors import Difference, compare_tensor, furthest
from tflm_hil.checks.tolerance import Tolerance
from tflm_hil.models.answers import Truth
from tflm_hil.models.output import Meaning
from tflm_hil.models.preprocess import Quantization

M_co = TypeVar("M_co", covariant=True)
EXACT = Tolerance()
_DIGEST_BITS = 64


@dataclass(frozen=True)
class Mismatch:
    """A window on which device and reference differ by more than is allowed.

    `device` and `reference` are the stored outputs; `first_row` is the row of the recording where the window begins.
    """

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
class TensorMismatch:
    """An inference on written tensors in which output number `output` differs from that of the reference."""

    case: str
    output: int
    difference: Difference

    def __str__(self) -> str:
        return f"{self.case}: output {self.output}: {self.difference}"


@dataclass(frozen=True)
class Parity(Generic[M_co]):
    """The comparison of `windows` inferences. `max_abs_diff` is in the unit of the output: LSB for integers.

    `label_mismatches` counts inferences with different answers; if outputs have no meaning, those with different
    outputs. `labelled` windows have a known truth: the device answered `correct_device` of them correctly, and the
    reference `correct_reference`. `confusions` counts the answers of the device to labelled windows. `digest` is that
    of the device's outputs: of those of several recordings or inferences, in any order, it is the sum.
    """

    windows: int
    label_mismatches: int
    bit_exact: bool
    max_abs_diff: float
    max_ulp: int
    labelled: int
    correct_device: int
    correct_reference: int
    mismatches: tuple[M_co, ...]
    confusions: Confusions = field(default_factory=dict)
    digest: int = 0


def compare(
    recording: str,
    device: NDArray[np.generic],
    reference: NDArray[np.generic],
    meaning: Meaning,
    truth: Sequence[Truth],
    stride: int,
    tolerance: Tolerance = EXACT,
    quantization: Quantization | None = None,
) -> Parity[Mismatch]:
    """Compare the outputs of one recording, both [windows, outputs] of the same type.

    Outputs must be equal within `tolerance`, and answers must always be equal. `truth` holds the right answer for each
    window, None if it is unknown. `quantization` turns outputs into the real numbers that `meaning` reads; without it,
    the outputs are real numbers already.

    Raises:
        ValueError: the shapes or types differ.
    """
    if device.shape != reference.shape or device.dtype != reference.dtype:
        raise ValueError(
            f"{recording}: device {device.shape} {device.dtype}, reference {reference.shape} {reference.dtype}"
        )
    real = [_real(stored, quantization) for stored in (device, reference)]
    answers_device, answers_reference = (meaning.answers(values) for values in real)
    right_device, right_reference = (meaning.right(values, truth) for values in real)
    outputs_differ = tolerance.exceeded(device, reference).any(axis=1)
    answers_differ = outputs_differ if meaning.note else meaning.differ(*real)
    max_abs_diff, max_ulp = furthest(device, reference)
    return Parity(
        windows=len(device),
        label_mismatches=int(answers_differ.sum()),
        bit_exact=device.tobytes() == reference.tobytes(),
        max_abs_diff=max_abs_diff,
        max_ulp=max_ulp,
        labelled=sum(known is not None for known in truth),
        correct_device=int(right_device.sum()),
        correct_reference=int(right_reference.sum()),
        confusions=confusions(answers_device.tolist(), truth),
        digest=_digest(recording, [device]),
        mismatches=tuple(
            Mismatch(
                recording,
                int(index),
                int(index) * stride,
                tuple(device[index].tolist()),
                tuple(reference[index].tolist()),
                str(answers_device[index]),
                str(answers_reference[index]),
            )
            for index in np.flatnonzero(outputs_differ | answers_differ)
        ),
    )


def _real(stored: NDArray[Any], quantization: Quantization | None) -> NDArray[np.float64]:
    return stored.astype(np.float64) if quantization is None else quantization.real(stored)


def compare_outputs(
    case: str,
    device: Sequence[NDArray[Any]],
    reference: Sequence[NDArray[Any]],
    tolerances: Sequence[Tolerance],
    quantizations: Sequence[Quantization],
) -> Parity[TensorMismatch]:
    """Compare every output of one inference on tensors.

    Raises:
        ValueError: the shapes or types differ.
    """
    outputs = list(zip(device, reference, tolerances, quantizations, strict=True))
    differences = [compare_tensor(*output) for output in outputs]
    distances = [furthest(ours, theirs) for ours, theirs, *_ in outputs]
    mismatches = tuple(TensorMismatch(case, index, d) for index, d in enumerate(differences) if d is not None)
    return Parity(
        windows=1,
        label_mismatches=int(bool(mismatches)),
        bit_exact=all(ours.tobytes() == theirs.tobytes() for ours, theirs, *_ in outputs),
        max_abs_diff=max((distance for distance, _ in distances), default=0.0),
        max_ulp=max((ulp for _, ulp in distances), default=0),
        labelled=0,
        correct_device=0,
        correct_reference=0,
        mismatches=mismatches,
        digest=_digest(case, device),
    )


def combine(parts: Sequence[Parity[M_co]]) -> Parity[M_co]:
    """Combine the comparisons of several recordings or inferences into one."""
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
        confusions=sum((Counter(part.confusions) for part in parts), Counter()),
        digest=add_digests(part.digest for part in parts),
    )


def add_digests(digests: Iterable[int]) -> int:
    """Return the digest of all that `digests` are of."""
    return sum(digests) % (1 << _DIGEST_BITS)


def _digest(name: str, outputs: Sequence[NDArray[np.generic]]) -> int:
    content = b"\0".join([name.encode(), *(output.tobytes() for output in outputs)])
    return int.from_bytes(hashlib.sha256(content).digest()[: _DIGEST_BITS // 8])
