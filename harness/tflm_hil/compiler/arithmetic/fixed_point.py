"""The integer arithmetic of TFLite on single numbers, exact to the last bit, for computations at build time.

Sources: https://github.com/google/gemmlowp/blob/master/fixedpoint/fixedpoint.h for 32 bits, reference/hard_swish.h of
TFLite for 16 bits. aot_fixed.h and aot_exp_s8.c do the same in C.
"""

from __future__ import annotations

from tflm_hil.compiler.arithmetic.quantization import Scale

INT16_MAX = 2**15 - 1
INT32_MAX = 2**31 - 1


def saturate(x: int, bits: int) -> int:
    """Limit `x` to a signed integer of so many bits."""
    return max(-(1 << bits - 1), min(x, (1 << bits - 1) - 1))


def multiply_high(a: int, b: int, bits: int = 32) -> int:
    """Return a * b / 2^(bits - 1), with halves rounded up (SaturatingRoundingDoublingHighMul)."""
    return saturate((a * b + (1 << bits - 2)) >> bits - 1, bits)


def divide_by_power_of_two(x: int, exponent: int) -> int:
    """Return x / 2^exponent, with halves rounded away from zero (RoundingDivideByPOT)."""
    if exponent == 0:
        return x
    half = 1 << exponent - 1
    return (x + half) >> exponent if x >= 0 else -((-x + half) >> exponent)


def rescale(x: int, scale: Scale) -> int:
    """Return x * scale (MultiplyByQuantizedMultiplier), saturated if the reference overflows."""
    shifted = saturate(x << scale.left, 32)
    return divide_by_power_of_two(multiply_high(shifted, scale.multiplier), scale.right)


def _exp_on_negative(x: int, integer_bits: int) -> int:
    """e^x for x <= 0 with so many integer bits; the result has 31 fractional bits."""
    if x == 0:
        return INT32_MAX
    fractional_bits = 31 - integer_bits
    quarter = 1 << fractional_bits - 2
    small = (x & (quarter - 1)) - quarter
    rest = small - x
    # A Taylor polynomial of degree 4 about -1/8.
    t = (small << integer_bits) + (1 << 28)
    t2 = multiply_high(t, t)
    t3 = multiply_high(t2, t)
    quarter_of_t4 = divide_by_power_of_two(multiply_high(t2, t2), 2)
    higher_terms = divide_by_power_of_two(multiply_high(quarter_of_t4 + t3, 715827883) + t2, 1)
    result = 1895147668 + multiply_high(1895147668, t + higher_terms)
    # e^(-2^i) for i = -2..3, and for 4 if x has so many integer bits.
    factors = [1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242][: integer_bits + 2]
    for i, factor in enumerate(factors):
        if rest & (quarter << i):
            result = multiply_high(result, factor)
    return result


def _two_over_one_plus(x: int) -> int:
    """2 / (1 + x) for x in [0, 1] with 31 fractional bits; the result has 29. Three iterations of Newton's method."""
    half_denominator = (x + INT32_MAX + 1) // 2
    estimate = 1515870810 + multiply_high(half_denominator, -1010580540)
    for _ in range(3):
        error = (1 << 29) - multiply_high(half_denominator, estimate)
        estimate += saturate(multiply_high(estimate, error) << 2, 32)
    return estimate


def logistic(x: int) -> int:
    """Return 1 / (1 + e^-x) for x with 4 integer bits; the result has 31 fractional bits."""
    if x == 0:
        return 1 << 30
    positive = saturate(_two_over_one_plus(_exp_on_negative(-abs(x), 4)) << 1, 32)
    return positive if x > 0 else INT32_MAX - positive


def tanh(x: int) -> int:
    """Return tanh x for x with 4 integer bits; the result has 31 fractional bits."""
    if x == 0:
        return 0
    # (1 - e) / (1 + e) with e = e^(-2 |x|), which has 5 integer bits.
    positive = saturate((_two_over_one_plus(_exp_on_negative(-abs(x), 5)) - (1 << 29)) << 2, 32)
    return positive if x > 0 else -positive
