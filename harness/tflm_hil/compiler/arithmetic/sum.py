"""Find a weighted sum that equals the int8 addition of TFLM for all pairs of inputs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.quantization import INT8_MAX, INT8_MIN, Quantization, Scale, quantize_multiplier
from tflm_hil.compiler.c_struct import CStruct

# The common scale of both operands in TFLM is so many bits finer than twice the coarser scale.
LEFT_SHIFT = 20
# The fraction bits of the factors, which the kernel drops from each product.
FACTOR_BITS = 8
# With less the sum is far from exact. More does not help, because the roundings of TFLM are coarser.
MIN_SHIFT, MAX_SHIFT = 12, 23
# What the search adds to the rounded constant and factors, and by how much that can change a sum.
CONSTANTS = (1, 0, 2, -1, 3, -2, 4)
FACTORS = (0, 64, -64, 192, -192, 448, -448)
MARGIN = 1024

Integers = npt.NDArray[np.int64]
STORED: Integers = np.arange(INT8_MIN, INT8_MAX + 1, dtype=np.int64)


@dataclass(frozen=True)
class Sum(CStruct):
    """See aot_add.h."""

    ctype: ClassVar[str] = "aot_sum_t"
    bytes: ClassVar[int] = 20
    a: int
    b: int
    constant: int
    rounding: int
    shift: int

    def unshifted(self, a: Integers, b: Integers) -> Integers:
        """Return the output for stored values before the shift."""
        total = ((a * self.a) >> FACTOR_BITS) + ((b * self.b) >> FACTOR_BITS) + self.constant
        unshifted: Integers = total + self.rounding + (total >> 31)
        return unshifted

    def stored(self, a: Integers, b: Integers) -> Integers:
        """Return the output for stored values."""
        stored: Integers = np.clip(self.unshifted(a, b) >> self.shift, INT8_MIN, INT8_MAX)
        return stored


def exact_sum(a: Quantization, b: Quantization, y: Quantization, sign: int) -> Sum | None:
    """Return a weighted sum that equals y = a + sign * b in TFLM; None if none is found."""
    expected = tflm_sums(a, b, y, sign)
    ratios = a.scale / y.scale, sign * b.scale / y.scale
    reach = [
        max(INT8_MAX - q.zero_point, q.zero_point - INT8_MIN) * abs(r) for q, r in zip((a, b), ratios, strict=True)
    ]
    # Times 2^shift, the sum with the zero point of the output, the rounding and what the search adds fits 32 bits.
    room = 2.0**31 / max(sum(reach) + 132, 2 ** (FACTOR_BITS + 1) * max(map(abs, ratios)))
    shift = min(math.floor(math.log2(room)), MAX_SHIFT)
    if shift < MIN_SHIFT:
        return None
    factors = [round(ratio * 2 ** (shift + FACTOR_BITS)) for ratio in ratios]

    def candidate(more_a: int, more_b: int, more: int) -> Sum:
        of_a, of_b = factors[0] + more_a, factors[1] + more_b
        constant = -((a.zero_point * of_a + b.zero_point * of_b) >> FACTOR_BITS) + more
        return Sum(of_a, of_b, constant, (2 * y.zero_point + 1) << (shift - 1), shift)

    # Candidates differ by little, so their outputs differ only for pairs close to the next output.
    first, pairs = candidate(0, 0, 0), (STORED[:, np.newaxis], STORED)
    close = np.abs((first.unshifted(*pairs) + MARGIN) % (1 << shift)) <= 2 * MARGIN
    if np.any((first.stored(*pairs) != expected) & ~close):
        return None
    indices = np.nonzero(close)
    few = tuple(STORED[index] for index in indices)
    for numbers in product(FACTORS, FACTORS, CONSTANTS):
        found = candidate(*numbers)
        if np.array_equal(found.stored(*few), expected[indices]) and np.array_equal(found.stored(*pairs), expected):
            return found
    return None


def addends(operand: Quantization, other: Quantization) -> Integers:
    """Return what TFLM adds for each stored value of an operand of ADD or SUB, on the common scale of both operands."""
    factor = quantize_multiplier(operand.scale / (2 * max(operand.scale, other.scale)))
    return _rescale((STORED - operand.zero_point) << LEFT_SHIFT, factor)


def sum_scale(a: Quantization, b: Quantization, y: Quantization) -> Scale:
    """Return the factor from the common scale to the scale of y."""
    return quantize_multiplier(2 * max(a.scale, b.scale) / (2**LEFT_SHIFT * y.scale))


def tflm_sums(a: Quantization, b: Quantization, y: Quantization, sign: int) -> Integers:
    """Return the stored output of TFLM for every pair of stored values [a, b] (reference/integer_ops/add.h)."""
    total = addends(a, b)[:, np.newaxis] + sign * addends(b, a)
    return np.clip(_rescale(total, sum_scale(a, b, y)) + y.zero_point, INT8_MIN, INT8_MAX)


def _rescale(x: Integers, scale: Scale) -> Integers:
    """Like fixed_point.rescale, for many numbers and factors below one."""
    high = (x * scale.multiplier + (1 << 30)) >> 31
    half = (1 << scale.right) >> 1
    return np.where(high >= 0, (high + half) >> scale.right, -((half - high) >> scale.right))
