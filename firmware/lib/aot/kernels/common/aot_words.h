/* Access to four int8 values at a time. */
#ifndef AOT_WORDS_H
#define AOT_WORDS_H

#include <stdint.h>
#include <string.h>

/* Loads four values from any address. */
static inline uint32_t aot_load_word(const int8_t *x) {
    uint32_t word;
    memcpy(&word, x, sizeof word);
    return word;
}

/* Fills whole words with `value`, at least `bytes` bytes (not 0). memset() of small C libraries writes single bytes. */
static inline void aot_fill_words(void *to, int8_t value, uint32_t bytes) {
    const uint32_t word = 0x01010101u * (uint8_t)value;
    uint32_t *words = to;
    const uint32_t *end = words + (bytes + 3) / 4;
    do {
        *words++ = word;
    } while (words != end);
}

#endif
