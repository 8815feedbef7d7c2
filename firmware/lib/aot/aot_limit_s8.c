/* Limits on int8. */
#include "aot_fixed.h"
#include "aot_limit.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* SSUB8 notes of each byte whether the first one is not smaller, and SEL takes the bytes by these notes. */
#define LIMIT(word)                                                                                                    \
    "ssub8   r12, " word ", %[minima]\n\t"                                                                             \
    "sel     " word ", " word ", %[minima]\n\t"                                                                        \
    "ssub8   r12, %[maxima], " word "\n\t"                                                                             \
    "sel     " word ", " word ", %[maxima]\n\t"

/* Eight values at a time; returns where the others begin. y is aligned to 4 bytes. */
static int8_t *limit_words(int8_t *y, uint32_t elements, int32_t minimum, int32_t maximum) {
    const uint32_t minima = 0x01010101u * (uint8_t)minimum, maxima = 0x01010101u * (uint8_t)maximum;
    for (const int8_t *end = y + (elements & ~7u); y != end;) {
        __asm__ volatile("ldrd    r4, r5, [%[y]]\n\t" LIMIT("r4") LIMIT("r5") "strd    r4, r5, [%[y]], #8"
                         : [y] "+r"(y)
                         : [minima] "r"(minima), [maxima] "r"(maxima)
                         : "r4", "r5", "r12", "memory");
    }
    return y;
}

#else

static int8_t *limit_words(int8_t *y, uint32_t elements, int32_t minimum, int32_t maximum) {
    (void)elements, (void)minimum, (void)maximum;
    return y;
}

#endif

void aot_limit_s8(int8_t *y, uint32_t elements, int32_t minimum, int32_t maximum) {
    if (minimum == INT8_MIN && maximum == INT8_MAX) {
        return;
    }
    const int8_t *end = y + elements;
    for (y = limit_words(y, elements, minimum, maximum); y != end; y++) {
        *y = (int8_t)aot_clamp(*y, minimum, maximum);
    }
}
