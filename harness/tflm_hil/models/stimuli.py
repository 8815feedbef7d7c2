"""Inputs for networks that have no recordings; the same in every run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_hil.errors import HilError
from tflm_hil.models.preprocess import INPUT_TYPES
from tflm_hil.models.reference import TensorSpec

Pattern = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]
"""Returns values from 0 to 1 in a given shape."""


@dataclass(frozen=True)
class Stimulus:
    """The values of all inputs for one inference."""

    name: str
    inputs: list[NDArray[Any]]


def stimuli(specs: Sequence[TensorSpec]) -> list[Stimulus]:
    """Return stimuli for a network with inputs `specs`: random values, extremes, ramps and 1/f noise.

    Integer inputs use the whole range of their type, float32 inputs the range from -1 to 1.

    Raises HilError if an input is empty or has another type than INPUT_TYPES.
    """
    return [
        Stimulus(
            name,
            [
                _stored(spec, pattern(np.random.default_rng([number, index]), spec.shape))
                for index, spec in enumerate(specs)
            ],
        )
        for number, (name, pattern) in enumerate(_PATTERNS.items())
    ]


def _stored(spec: TensorSpec, values: NDArray[np.float64]) -> NDArray[Any]:
    if spec.dtype == np.float32:
        return (2.0 * values - 1.0).astype(np.float32)
    if spec.dtype.name not in INPUT_TYPES:
        raise HilError(
            f"an input of the network is {spec.dtype}, which is not supported; convert the model for one of "
            f"{', '.join(INPUT_TYPES)}"
        )
    if spec.elements == 0:
        raise HilError(f"an input has the shape {list(spec.shape)}, which is empty; export the model again")
    limits = np.iinfo(spec.dtype)
    return np.rint(limits.min + values * (int(limits.max) - int(limits.min))).astype(spec.dtype)


def _uniform(dice: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return dice.random(shape)


def _ends(dice: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return dice.integers(0, 2, shape).astype(np.float64)


def _ramp(_dice: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.linspace(0.0, 1.0, int(np.prod(shape))).reshape(shape)


def _pink(dice: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """1/f noise: amplitudes fall with frequency, as in natural images and signals.

    The spectrum covers all dimensions with more than one element, except the last one of an image
    [1, height, width, channels]: channels are independent of each other.
    """
    axes = [axis for axis, size in enumerate(shape) if size > 1 and not (len(shape) == 4 and axis == 3)]
    noise = dice.standard_normal(shape)
    if not axes:
        return dice.random(shape)
    radius = np.sqrt(
        sum(np.square(np.fft.fftfreq(shape[a])).reshape([-1 if a == b else 1 for b in range(len(shape))]) for a in axes)
    )
    radius[radius == 0.0] = np.inf
    values = np.fft.ifftn(np.fft.fftn(noise, axes=axes) / radius, axes=axes).real
    span = np.ptp(values)
    return (values - values.min()) / span if span > 0 else dice.random(shape)


_PATTERNS: dict[str, Pattern] = {
    "random 1": _uniform,
    "random 2": _uniform,
    "random 3": _uniform,
    "ends of the range": _ends,
    "lowest": lambda _dice, shape: np.zeros(shape),
    "highest": lambda _dice, shape: np.ones(shape),
    "ramp": _ramp,
    "1/f noise 1": _pink,
    "1/f noise 2": _pink,
}
