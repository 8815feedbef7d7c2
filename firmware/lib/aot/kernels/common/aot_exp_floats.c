/* e^x on float32, in float32 arithmetic. */
#include "aot_exp.h"

#include <string.h>

/* 2^(i / 32): the nearest float32, and the remainder. */
static const float powers[32][2] = {
    {0x1.000000p+0f, 0x0.0p+0f},        {0x1.059b0ep+0f, -0x1.9d4f52p-25f}, {0x1.0b5586p+0f, 0x1.9f3122p-25f},
    {0x1.11301ep+0f, -0x1.fdb496p-25f}, {0x1.172b84p+0f, -0x1.c15742p-27f}, {0x1.1d4874p+0f, -0x1.d2e8cap-25f},
    {0x1.2387a6p+0f, 0x1.ceac48p-25f},  {0x1.29e9e0p+0f, -0x1.5c0424p-25f}, {0x1.306fe0p+0f, 0x1.4636e2p-25f},
    {0x1.371a74p+0f, -0x1.18aac6p-25f}, {0x1.3dea64p+0f, 0x1.824684p-25f},  {0x1.44e086p+0f, 0x1.8624b4p-30f},
    {0x1.4bfdaep+0f, -0x1.593abcp-25f}, {0x1.5342b6p+0f, -0x1.2c5610p-25f}, {0x1.5ab07ep+0f, -0x1.5bd5ecp-27f},
    {0x1.6247ecp+0f, -0x1.f8b550p-25f}, {0x1.6a09e6p+0f, 0x1.9fcef4p-26f},  {0x1.71f75ep+0f, 0x1.1d8beep-25f},
    {0x1.7a1148p+0f, -0x1.829fd0p-25f}, {0x1.82589ap+0f, -0x1.accc7cp-26f}, {0x1.8ace54p+0f, 0x1.15506ep-27f},
    {0x1.93737cp+0f, -0x1.e64744p-25f}, {0x1.9c4918p+0f, 0x1.51f848p-27f},  {0x1.a5503cp+0f, -0x1.b83b54p-25f},
    {0x1.ae89fap+0f, -0x1.a94b14p-26f}, {0x1.b7f770p+0f, -0x1.a09438p-25f}, {0x1.c199bep+0f, -0x1.3d56b2p-27f},
    {0x1.cb720ep+0f, -0x1.8837ccp-27f}, {0x1.d5818ep+0f, -0x1.822dbcp-27f}, {0x1.dfc974p+0f, -0x1.908c94p-25f},
    {0x1.ea4afap+0f, 0x1.52486cp-27f},  {0x1.f50766p+0f, -0x1.246eb0p-26f},
};

/*
 * e^x = 2^n 2^(i / 32) e^r, with 32 n + i = k the integer nearest to 32 x / ln 2, so that |r| < 0.0109.
 *
 * Errors in ULP of the result, which is at least 2^-24 of a 1: r has an error of at most 2^-29 (k times the first part
 * of ln 2 / 32 has 21 bits, and its difference from x is exact; k times the second part adds 2^-30 for its rounding and
 * 2^-31 for the part itself, the difference 2^-31). The Taylor polynomial adds r^4 / 24 < 2^-30, and its last sum
 * 2^-31: 0.05 together. The product with 2^(i / 32) and the sum with its second part add 2^-30 each: 0.02. The last sum
 * adds one half. The total is 0.57.
 */
float aot_exp_by_floats(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffffu) >= 0x42ae0000u) { /* |x| >= 87 or NaN: the result may be subnormal, infinite or NaN */
        return aot_exp_by_integers(x);
    }
    const float to_integer = 0x1.8p23f; /* numbers of this size have no fraction bits; their last bits are k */
    const float shifted = x * 0x1.715476p+5f + to_integer;
    const float k = shifted - to_integer;
    uint32_t integer;
    memcpy(&integer, &shifted, sizeof integer);

    const float r = x - k * 0x1.63p-6f - k * -0x1.bd0106p-18f;
    const float p = r + r * r * (0.5f + r * (1.0f / 6.0f));
    const float *power = powers[integer % 32];
    const float value = power[0] + (power[0] * p + power[1]);
    uint32_t result;
    memcpy(&result, &value, sizeof result);
    result += (integer & ~31u) << (23 - 5); /* times 2^n; the bits of to_integer are shifted out */
    float scaled;
    memcpy(&scaled, &result, sizeof scaled);
    return scaled;
}
