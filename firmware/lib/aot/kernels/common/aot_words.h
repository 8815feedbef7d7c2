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

#if defined(__thumb2__)

/* Fills whole words with `value`, at least `bytes` bytes. memset() of small C libraries writes single bytes. */
static inline void aot_fill_words(void *to, int8_t value, uint32_t bytes) {
    const uint32_t word = 0x01010101u * (uint8_t)value;
    uint32_t words = (bytes + 3) / 4;
    __asm__ volatile("mov     r4, %[word]\n\t"
                     "mov     r5, r4\n\t"
                     "mov     r6, r4\n\t"
                     "mov     r12, r4\n\t"
                     "subs    %[words], %[words], #4\n\t"
                     "blo     2f\n"
                     "1:\n\t"
                     "stm     %[to]!, {r4, r5, r6, r12}\n\t"
                     "subs    %[words], %[words], #4\n\t"
                     "bhs     1b\n"
                     "2:\n\t"
                     "adds    %[words], %[words], #4\n\t"
                     "beq     4f\n"
                     "3:\n\t"
                     "str     r4, [%[to]], #4\n\t"
                     "subs    %[words], %[words], #1\n\t"
                     "bne     3b\n"
                     "4:\n"
                     : [to] "+r"(to), [words] "+r"(words)
                     : [word] "r"(word)
                     : "r4", "r5", "r6", "r12", "cc", "memory");
}

/*
 * Copies rows of `bytes` bytes, at least one row, which begin `from_pitch` and `to_pitch` bytes apart. memcpy() of
 * small C libraries copies single bytes.
 */
static inline void aot_copy_rows(int8_t *to, uint32_t to_pitch, const int8_t *from, uint32_t from_pitch, uint32_t rows,
                                 uint32_t bytes) {
    __asm__ volatile("0:\n\t"
                     "movs    r4, %[words]\n\t"
                     "beq     2f\n"
                     "1:\n\t"
                     "ldr     r5, [%[from]], #4\n\t"
                     "str     r5, [%[to]], #4\n\t"
                     "subs    r4, r4, #1\n\t"
                     "bne     1b\n"
                     "2:\n\t"
                     "movs    r4, %[rest]\n\t"
                     "beq     4f\n"
                     "3:\n\t"
                     "ldrb    r5, [%[from]], #1\n\t"
                     "strb    r5, [%[to]], #1\n\t"
                     "subs    r4, r4, #1\n\t"
                     "bne     3b\n"
                     "4:\n\t"
                     "add     %[from], %[from], %[from_skip]\n\t"
                     "add     %[to], %[to], %[to_skip]\n\t"
                     "subs    %[rows], %[rows], #1\n\t"
                     "bne     0b\n"
                     : [to] "+r"(to), [from] "+r"(from), [rows] "+r"(rows)
                     : [words] "r"(bytes / 4), [rest] "r"(bytes % 4), [from_skip] "r"(from_pitch - bytes),
                       [to_skip] "r"(to_pitch - bytes)
                     : "r4", "r5", "cc", "memory");
}

/* The same for whole words that are aligned. */
static inline void aot_copy_words(int8_t *to, uint32_t to_pitch, const int8_t *from, uint32_t from_pitch, uint32_t rows,
                                  uint32_t bytes) {
    __asm__ volatile("0:\n\t"
                     "subs    r4, %[bytes], #16\n\t"
                     "blo     2f\n"
                     "1:\n\t"
                     "ldm     %[from]!, {r5, r6, r8, r12}\n\t"
                     "stm     %[to]!, {r5, r6, r8, r12}\n\t"
                     "subs    r4, r4, #16\n\t"
                     "bhs     1b\n"
                     "2:\n\t"
                     "adds    r4, r4, #16\n\t"
                     "beq     4f\n"
                     "3:\n\t"
                     "ldr     r5, [%[from]], #4\n\t"
                     "str     r5, [%[to]], #4\n\t"
                     "subs    r4, r4, #4\n\t"
                     "bne     3b\n"
                     "4:\n\t"
                     "add     %[from], %[from], %[from_skip]\n\t"
                     "add     %[to], %[to], %[to_skip]\n\t"
                     "subs    %[rows], %[rows], #1\n\t"
                     "bne     0b\n"
                     : [to] "+r"(to), [from] "+r"(from), [rows] "+r"(rows)
                     : [bytes] "r"(bytes), [from_skip] "r"(from_pitch - bytes), [to_skip] "r"(to_pitch - bytes)
                     : "r4", "r5", "r6", "r8", "r12", "cc", "memory");
}

#else

static inline void aot_fill_words(void *to, int8_t value, uint32_t bytes) {
    const uint32_t word = 0x01010101u * (uint8_t)value;
    uint32_t *words = to;
    for (uint32_t left = (bytes + 3) / 4; left != 0; left--) {
        *words++ = word;
    }
}

static inline void aot_copy_rows(int8_t *to, uint32_t to_pitch, const int8_t *from, uint32_t from_pitch, uint32_t rows,
                                 uint32_t bytes) {
    for (; rows != 0; rows--, from += from_pitch, to += to_pitch) {
        for (uint32_t i = 0; i < bytes; i++) {
            to[i] = from[i];
        }
    }
}

static inline void aot_copy_words(int8_t *to, uint32_t to_pitch, const int8_t *from, uint32_t from_pitch, uint32_t rows,
                                  uint32_t bytes) {
    for (; rows != 0; rows--, from += from_pitch, to += to_pitch) {
        for (uint32_t i = 0; i < bytes; i += 4) {
            memcpy(to + i, from + i, 4);
        }
    }
}

#endif

#endif
