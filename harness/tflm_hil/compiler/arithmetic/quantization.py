"""The numbers that TFLM derives from quantization scales, exact to the last bit.

Sources: tensorflow/lite/kernels/internal/quantization_util.cc (QuantizeMultiplier), kernel_util.cc
(CalculateActivationRange and its quantized variant) of tensorflow/tflite-micro.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tflm_hil.compiler.c_struct import CStruct
from tflm_hil.models.tflite_file import TensorType

INT8_MIN, INT8_MAX = -128, 127
INT16_MIN, INT16_MAX = -32768, 32767
FLOAT_MAX = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Quantization:
    """real value = scale * (stored value - zero_point). `scale` holds a float32 exactly."""

    scale: float
    zero_point: int

    def suits(self, kind: TensorType) -> bool:
        """Return whether integers of type `kind` can be quantized like this."""
        assert kind.dtype is not None
        limits = np.iinfo(kind.dtype)
        return self.scale > 0 and bool(limits.min <= self.zero_point <= limits.max)

    def __str__(self) -> str:
        return f"scale {self.scale:g} and zero point {self.zero_point}"


@dataclass(frozen=True)
class Scale(CStruct):
    """A positive factor: multiplier * 2^(left - right - 31)."""

    ctype: ClassVar[str] = "aot_scale_t"
    bytes: ClassVar[int] = 8
    multiplier: int
    left: int
    right: int


@dataclass(frozen=True)
class Fraction(CStruct):
    """A factor below one half: multiplier * 2^(-shift - 32)."""

    ctype: ClassVar[str] = "aot_fraction_t"
    bytes: ClassVar[int] = 8
    multiplier: int
    shift: int


@dataclass(frozen=True)
class Addend(CStruct):
    """One input of an int8 addition: (stored - zero_point) * 2^(left - 1) * scale."""

    ctype: ClassVar[str] = "aot_addend_t"
    bytes: ClassVar[int] = 16
    zero_point: int
    left: int
    scale: Fraction


def round_half_away(value: float) -> int:
    """Round to the nearest integer, halves away from zero, like round() in C."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


def quantize_multiplier(factor: float) -> Scale:
    """Return `factor` (in 0..2^31) as a 31-bit multiplier and a shift; zero if it is below 2^-32.

    Raises:
        ValueError: the factor is out of range.
    """
    if not 0 <= factor < 2**31:
        raise ValueError(f"the scale factor {factor:g} is not in 0..2^31")
    significand, shift = math.frexp(factor)
    # Exact: the product has 31 integer bits and at most 22 fractional bits, and adding one half needs no more.
    multiplier = round_half_away(significand * 2**31)
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return Scale(0, 0, 0)
    return Scale(multiplier, max(shift, 0), max(-shift, 0))


def fraction(scale: Scale) -> Fraction:
    """Return `scale` for kernels that take only factors below one half.

    Raises:
        ValueError: the factor is one half or more.
    """
    if scale.left > 0 or (scale.right == 0 and scale.multiplier != 0):
        raise ValueError(
            f"the scale factor {scale.multiplier * 2.0 ** (scale.left - scale.right - 31):g} is not in 0..1/2"
        )
    return Fraction(scale.multiplier, max(scale.right - 1, 0))


def addend(quantization: Quantization, factor: float) -> Addend:
    """Return an input of an int8 addition. Its scale is `factor` (at most 1/2) times twice the larger input scale."""
    scale = quantize_multiplier(factor)
    if scale.right == 0 and scale.multiplier != 0:
        return Addend(quantization.zero_point, 22, Fraction(scale.multiplier, 0))
    return Addend(quantization.zero_point, 21, fraction(scale))


# The name and the real limits of each fused activation, by ActivationFunctionType of TFLite; None is no limit.
ACTIVATIONS: dict[int, tuple[str, float | None, float | None]] = {
    0: ("NONE", None, None),
    1: ("RELU", 0.0, None),
    2: ("RELU_N1_TO_1", -1.0, 1.0),
    3: ("RELU6", 0.0, 6.0),
}


def quantize_int8(value: float, quantization: Quantization) -> int:
    """Quantize `value` to int8: divide in float32, round half away from zero, saturate."""
    return _quantize(value, quantization, INT8_MIN, INT8_MAX)


def int8_limits(activation: int, quantization: Quantization) -> tuple[int, int]:
    """Return the least and the largest stored value of an int8 output with a fused activation."""
    return _limits(activation, quantization, INT8_MIN, INT8_MAX)


def int16_limits(activation: int, quantization: Quantization) -> tuple[int, int]:
    """Return the least and the largest stored value of an int16 output with a fused activation."""
    return _limits(activation, quantization, INT16_MIN, INT16_MAX)


def _quantize(value: float, quantization: Quantization, minimum: int, maximum: int) -> int:
    quotient = float(np.float32(value) / np.float32(quantization.scale))
    stored = quotient if math.isinf(quotient) else round_half_away(quotient) + quantization.zero_point
    return int(min(max(stored, minimum), maximum))


def _limits(activation: int, quantization: Quantization, minimum: int, maximum: int) -> tuple[int, int]:
    _, low, high = ACTIVATIONS[activation]
    return (
        minimum if low is None else _quantize(low, quantization, minimum, maximum),
        maximum if high is None else _quantize(high, quantization, minimum, maximum),
    )


def float_limits(activation: int) -> tuple[float, float]:
    """Return the limits of a float32 output with a fused activation. NONE limits infinities to finite numbers."""
    _, low, high = ACTIVATIONS[activation]
    return (-FLOAT_MAX if low is None else low, FLOAT_MAX if high is None else high)
