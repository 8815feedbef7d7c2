/* e^x on float32, in integer arithmetic. */
#include "aot_exp.h"

#include <string.h>

/* ln 2 with 48 fractional bits. */
#define LN2_Q48 INT64_C(0xb17217f7d1cf)

/* (e^r - 1) / r on [0, ln 2], by Chebyshev interpolation of degree 6; 31 fractional bits, relative error 2^-33. */
static const uint32_t coefficients[] = {0x0008d64d, 0x002b2a5c, 0x01123404, 0x05550dc5,
                                        0x15555daa, 0x3fffffa3, 0x80000001};

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float aot_exp_by_integers(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint32_t magnitude = bits & 0x7fffffffu;
    const int negative = (int)(bits >> 31);
    if (magnitude > 0x7f800000u) {
        return x;
    }
    if (magnitude >= 0x42d00000u) { /* |x| >= 104 */
        return negative ? 0.0f : from_bits(0x7f800000u);
    }

    /* x with 48 fractional bits: the significand has 23, so shift it by 25 plus the exponent. */
    const int shift = (int)(magnitude >> 23) - 127 + 25;
    const int64_t significand = (int64_t)((magnitude & 0x7fffffu) | 0x800000u);
    const int64_t fixed = shift >= 0 ? significand << shift : shift > -32 ? significand >> -shift : 0;
    const int64_t argument = negative ? -fixed : fixed;

    /* e^x = 2^n e^r with r in [0, ln 2). With 16 fractional bits of x and of 1 / ln 2, n may be off by one. */
    int32_t n = (int32_t)(((argument >> 32) * 94548) >> 32);
    int64_t rest = argument - n * LN2_Q48;
    if (rest >= LN2_Q48) {
        rest -= LN2_Q48;
        n++;
    } else if (rest < 0) {
        rest += LN2_Q48;
        n--;
    }
    const uint64_t r = (uint64_t)rest >> 16; /* 32 fractional bits */

    uint32_t sum = 0;
    for (unsigned i = 0; i < sizeof coefficients / sizeof coefficients[0]; i++) {
        sum = (uint32_t)((sum * r) >> 32) + coefficients[i];
    }
    const uint32_t power = 0x80000000u + (uint32_t)((sum * r) >> 32); /* e^r in [1, 2), 31 fractional bits */

    /* A normal number keeps 24 of the 32 bits, a subnormal one fewer; ties are rounded to even. */
    const int drop = n >= -126 ? 8 : 8 + (-126 - n);
    if (drop > 32) {
        return 0.0f;
    }
    const uint64_t half = UINT64_C(1) << (drop - 1);
    const uint64_t wide = power;
    uint32_t rounded = (uint32_t)((wide + half - 1 + ((wide >> drop) & 1)) >> drop);
    if (n >= -126) {
        /* Add, so that a carry out of the significand increments the exponent. */
        rounded += (uint32_t)(n + 126) << 23;
    }
    return from_bits(rounded >= 0x7f800000u ? 0x7f800000u : rounded);
}
