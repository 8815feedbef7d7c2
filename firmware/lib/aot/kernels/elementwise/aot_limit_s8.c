/* Limits on int8. */
#include "aot_elementwise.h"
#include "aot_limit.h"

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* SSUB8 sets a flag for each byte that is not smaller than the other one, and SEL selects bytes by these flags. */
#define AT_LEAST(word)                                                                                                 \
    "ssub8   r12, " word ", %[minima]\n\t"                                                                             \
    "sel     " word ", " word ", %[minima]\n\t"
#define AT_MOST(word)                                                                                                  \
    "ssub8   r12, %[maxima], " word "\n\t"                                                                             \
    "sel     " word ", " word ", %[maxima]\n\t"

/* Limits eight values at a time; returns the number of values that it has limited. */
static uint32_t limit_words(const int8_t *x, int8_t *y, uint32_t elements, int32_t minimum, int32_t maximum) {
    if ((((uintptr_t)x | (uintptr_t)y) & 3) != 0) {
        return 0; /* LDRD and STRD need whole words */
    }
    const uint32_t minima = 0x01010101u * (uint8_t)minimum, maxima = 0x01010101u * (uint8_t)maximum;
    const uint32_t done = elements & ~7u;
    const int8_t *end = x + done;
    if (maximum == INT8_MAX) { /* RELU */
        while (x != end) {
            __asm__ volatile("ldrd    r4, r5, [%[x]], #8\n\t" AT_LEAST("r4") AT_LEAST("r5") "strd    r4, r5, [%[y]], #8"
                             : [x] "+r"(x), [y] "+r"(y)
                             : [minima] "r"(minima)
                             : "r4", "r5", "r12", "memory");
        }
        return done;
    }
    while (x != end) {
        __asm__ volatile("ldrd    r4, r5, [%[x]], #8\n\t" AT_LEAST("r4") AT_MOST("r4") AT_LEAST("r5")
                             AT_MOST("r5") "strd    r4, r5, [%[y]], #8"
                         : [x] "+r"(x), [y] "+r"(y)
                         : [minima] "r"(minima), [maxima] "r"(maxima)
                         : "r4", "r5", "r12", "memory");
    }
    return done;
}

#else

static uint32_t limit_words(const int8_t *x, int8_t *y, uint32_t elements, int32_t minimum, int32_t maximum) {
    (void)x, (void)y, (void)elements, (void)minimum, (void)maximum;
    return 0;
}

#endif

static void limit(const int8_t *x, int8_t *y, uint32_t elements, int32_t minimum, int32_t maximum) {
    for (uint32_t i = limit_words(x, y, elements, minimum, maximum); i < elements; i++) {
        y[i] = (int8_t)aot_clamp(x[i], minimum, maximum);
    }
}

void aot_limit_s8(int8_t *y, uint32_t elements, int32_t minimum, int32_t maximum) {
    if (minimum != INT8_MIN || maximum != INT8_MAX) {
        limit(y, y, elements, minimum, maximum);
    }
}

void aot_clamp_s8(const aot_clamp_s8_t *layer, const int8_t *x, int8_t *y) {
    limit(x, y, layer->elements, layer->minimum, layer->maximum);
}
