"""Lookup tables of elementwise int8 operators: the output for each of the 256 inputs, with the arithmetic of TFLM."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.arithmetic.fixed_point import (
    INT16_MAX,
    divide_by_power_of_two,
    logistic,
    multiply_high,
    rescale,
    saturate,
    tanh,
)
from tflm_hil.compiler.arithmetic.quantization import (
    INT8_MAX,
    INT8_MIN,
    Quantization,
    Scale,
    quantize_multiplier,
    round_half_away,
)
from tflm_hil.models.tflite_file import TensorType

# The arguments of logistic() and tanh() have 4 integer bits.
INTEGER_BITS = 4
LOGISTIC_OUTPUT = Quantization(1 / 256, -128)
TANH_OUTPUT = Quantization(1 / 128, 0)


def _table(function: Callable[[int], int]) -> npt.NDArray[np.int8]:
    """`function` of every stored input from -128 to 127, saturated to int8."""
    return np.array([saturate(function(stored), 8) for stored in range(INT8_MIN, INT8_MAX + 1)], np.int8)


def _sigmoid_table(source: Quantization, function: Callable[[int], int], bits: int, zero: int) -> npt.NDArray[np.int8]:
    """`function` with `bits` of its 31 fractional bits. Arguments with too many integer bits saturate.

    Raises:
        ValueError: the scale is so small that the shifts in TFLM are undefined.
    """
    factor = source.scale * 2.0 ** (31 - INTEGER_BITS)
    significand, left = math.frexp(factor)
    if left < 0:
        raise ValueError(f"its input scale {source.scale:g} is too small")
    radius = ((2**INTEGER_BITS - 1) << (31 - INTEGER_BITS)) >> left
    scale = Scale(int(significand * 2**31), left, 0)

    def value(stored: int) -> int:
        x = stored - source.zero_point
        if abs(x) >= radius:
            return INT8_MIN if x <= -radius else INT8_MAX
        return divide_by_power_of_two(function(rescale(x, scale)), 31 - bits) + zero

    return _table(value)


def logistic_table(source: Quantization) -> npt.NDArray[np.int8]:
    """Return the table of LOGISTIC with the output quantization LOGISTIC_OUTPUT (reference/integer_ops/logistic.h)."""
    return _sigmoid_table(source, logistic, 8, LOGISTIC_OUTPUT.zero_point)


def tanh_table(source: Quantization) -> npt.NDArray[np.int8]:
    """Return the table of TANH with the output quantization TANH_OUTPUT (reference/integer_ops/tanh.h)."""
    return _sigmoid_table(source, tanh, 7, TANH_OUTPUT.zero_point)


def sigmoid_points() -> npt.NDArray[np.int16]:
    """Return 1 / (1 + e^-x) - 1/2 at x = 0, 1/24, ..., 255/24, with 16 fraction bits (common.h of TFLM).

    Each entry is corrected by half of the error that interpolation has in the middle of the step after it. The last
    entry stands for 1.
    """

    def value(at: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        exact: npt.NDArray[np.float64] = 65536 / (1 + np.exp(-at / 24))
        return exact

    points = np.arange(256.0)
    error = (value(points) + value(points + 1)) / 2 - value(points + 0.5)
    entries = np.rint(value(points) - error / 2)
    entries[-1] = 65535
    return (entries - 32768).astype(np.int16)


def rescale_table(
    source_type: TensorType, source: Quantization, target_type: TensorType, target: Quantization
) -> npt.NDArray[np.int8]:
    """Return the table of QUANTIZE from int8 or uint8 to either (reference/requantize.h), both viewed as int8.

    Raises:
        ValueError: the scales are too different.
    """
    scale = quantize_multiplier(source.scale / target.scale)
    assert source_type.dtype is not None
    assert target_type.dtype is not None
    limits = np.iinfo(target_type.dtype)
    stored = np.arange(INT8_MIN, INT8_MAX + 1).astype(np.int8).view(source_type.dtype)
    values = [rescale(int(x) - source.zero_point, scale) + target.zero_point for x in stored]
    return np.clip(values, limits.min, limits.max).astype(target_type.dtype).view(np.int8)


def relu_table(source: Quantization, target: Quantization) -> npt.NDArray[np.int8]:
    """Return the table of RELU (ReluQuantized in micro/kernels/activations_common.cc).

    Raises:
        ValueError: the scales are too different.
    """
    scale = quantize_multiplier(source.scale / target.scale)
    return _table(lambda stored: target.zero_point + max(rescale(stored - source.zero_point, scale), 0))


def leaky_relu_table(source: Quantization, target: Quantization, alpha: float) -> npt.NDArray[np.int8]:
    """Return the table of LEAKY_RELU (reference/leaky_relu.h).

    Raises:
        ValueError: the scales are too different.
    """
    identity = quantize_multiplier(source.scale / target.scale)
    slope = quantize_multiplier(source.scale * abs(alpha) / target.scale)
    sign = 1 if alpha >= 0 else -1

    def value(stored: int) -> int:
        x = stored - source.zero_point
        return target.zero_point + (rescale(x, identity) if x >= 0 else sign * rescale(x, slope))

    return _table(value)


def elu_table(source: Quantization, target: Quantization) -> npt.NDArray[np.int8]:
    """Return the table of ELU, computed in float32 (PopulateLookupTable in micro/kernels/elu.cc).

    Raises:
        ValueError: the scales are too different.
    """
    real = np.float32
    if max(255 * source.scale, 1.0) / target.scale >= 2**30:
        raise ValueError(f"its scales {source.scale:g} and {target.scale:g} are too different")
    inverse = real(1) / real(target.scale)

    def value(stored: int) -> int:
        x = real(source.scale) * real(stored - source.zero_point)
        transformed = real(math.exp(x)) - real(1) if x < 0 else x
        return int(real(round_half_away(float(transformed * inverse))) + real(target.zero_point))

    return _table(value)


def hard_swish_table(source: Quantization, target: Quantization) -> npt.NDArray[np.int8]:
    """Return the table of HARD_SWISH, computed with 16 bits (reference/hard_swish.h); scales are divided in float32.

    Raises:
        ValueError: the scales are too different.
    """
    fine = np.float32(1 / 128) * np.float32(source.scale)
    output = quantize_multiplier(float(fine / np.float32(target.scale)))
    reluish = quantize_multiplier(float(fine / (np.float32(3) / np.float32(32768))))
    # TFLM uses 16 bits of each multiplier.
    output_multiplier, reluish_multiplier = (
        min((scale.multiplier + (1 << 15)) >> 16, INT16_MAX) for scale in (output, reluish)
    )
    if output.left > 0 or max(output.right, reluish.right) > 15:
        raise ValueError(f"its scales {source.scale:g} and {target.scale:g} are too different")

    def value(stored: int) -> int:
        x = (stored - source.zero_point) << 7
        unshifted_output = multiply_high(x, output_multiplier, 16)
        weight = x
        if reluish.left > 0:
            weight = saturate(weight << reluish.left - 1, 16)
        weight = multiply_high(weight, reluish_multiplier, 16)
        if reluish.left > 0:
            weight = saturate(weight << 1, 16)
        weight = divide_by_power_of_two(weight, reluish.right)
        # From -1..1 to 0..1, as 16-bit fractions.
        weight = (weight + (1 << 15)) >> 1
        product = weight * unshifted_output
        truncated = product >> 15 if product >= 0 else -(-product >> 15)
        return divide_by_power_of_two(truncated, output.right) + target.zero_point

    return _table(value)
