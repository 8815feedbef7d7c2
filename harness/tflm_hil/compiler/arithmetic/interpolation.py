"""Tables of functions, as TFLM fills them. int16 kernels interpolate between their entries.

Source: LUTPopulateInt16 in tensorflow/lite/kernels/internal/common.h, which computes in float32 too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import INT16_MAX, INT16_MIN, round_half_away

STEPS = 512
# The number of steps between the least and the largest int16.
RANGE = INT16_MAX - INT16_MIN


def interpolated(function: Callable[[float], float], width: float, zero_point: int) -> npt.NDArray[np.int16]:
    """Return `function` at the ends of 512 equal steps over all stored numbers, int16[513].

    The stored numbers cover a real interval of `width`; `zero_point` stands for 0. Results are stored times 2^15. Each
    entry is corrected by half of the error that interpolation has in the middle of the step after it.
    """
    real = np.float32
    scale, value_scale = real(width) / real(RANGE), real(2) / real(RANGE)
    low, high = scale * real(INT16_MIN - zero_point), scale * real(INT16_MAX - zero_point)
    step = (high - low) / real(STEPS)
    factor = real(RANGE + 1) / (value_scale * real(INT16_MAX) - value_scale * real(INT16_MIN))

    def stored(x: np.float32) -> np.float32:
        return real(function(float(x))) * factor

    def rounded(value: np.float32) -> np.float32:
        return real(round_half_away(float(value)))

    entries = []
    for number in range(STEPS):
        here = low + real(number) * step
        sample = rounded(stored(here))
        between = rounded((stored(low + real(number + 1) * step) + sample) / real(2))
        error = between - rounded(stored(here + step / real(2)))
        entries.append(sample - rounded(error / real(2)))
    entries.append(rounded(stored(high)))
    return np.clip(entries, INT16_MIN, INT16_MAX).astype(np.int16)
