/* Four int8 values at a time, where a core has the DSP extension. */
#ifndef AOT_WORDS_H
#define AOT_WORDS_H

#include <stdint.h>
#include <string.h>

/* The next four values of a tensor, at any address. */
static inline uint32_t aot_load_word(const int8_t *x) {
    uint32_t word;
    memcpy(&word, x, sizeof word);
    return word;
}

#endif
