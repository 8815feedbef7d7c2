/*
 * Dot products of float32 for 4, 2 or 1 outputs at once; the outputs of a group share the loads of x. Products are
 * rounded before they are added, and every sum adds them in order, like the reference kernels of TFLM. Build with
 * -ffp-contract=off; otherwise the compiler may fuse a product with its addition and round only once.
 */
#ifndef AOT_DOT_F32_H
#define AOT_DOT_F32_H

#include <stdint.h>

#define AOT_LANES 4 /* the most outputs in a group */

/* The sums of a group of outputs; smaller groups use only the first ones. */
typedef struct {
    float a, b, c, d;
} aot_sums_f32_t;

#define AOT_INLINE static inline __attribute__((always_inline))

#if defined(__ARM_FP) && (__ARM_FP & 4) && defined(__thumb2__)

#define AOT_PRODUCT(w, x) "vmul.f32 " w ", " w ", " x "\n\t"
#define AOT_SUM(lane, w) "vadd.f32 %[" lane "], %[" lane "], " w "\n\t"

/*
 * One column: multiply the weights by the input x and add each product to the sum of its output. VMUL and VADD take two
 * cycles together on a Cortex-M4, because the results of several outputs do not wait for each other; VMLA takes three.
 */
#define AOT_COLUMN_OF_4(w0, w1, w2, w3, x)                                                                             \
    AOT_PRODUCT(w0, x)                                                                                                 \
    AOT_PRODUCT(w1, x)                                                                                                 \
    AOT_PRODUCT(w2, x) AOT_PRODUCT(w3, x) AOT_SUM("a", w0) AOT_SUM("b", w1) AOT_SUM("c", w2) AOT_SUM("d", w3)

#define AOT_COLUMN_OF_2(w0, w1, x) AOT_PRODUCT(w0, x) AOT_PRODUCT(w1, x) AOT_SUM("a", w0) AOT_SUM("b", w1)

/* `four` columns at a time, then `one` at a time. */
#define AOT_FOR_COLUMNS(four, one)                                                                                     \
    "subs    %[n], %[n], #4\n\t"                                                                                       \
    "blo     2f\n"                                                                                                     \
    "1:\n\t" four "subs    %[n], %[n], #4\n\t"                                                                         \
    "bhs     1b\n"                                                                                                     \
    "2:\n\t"                                                                                                           \
    "adds    %[n], %[n], #4\n\t"                                                                                       \
    "beq     4f\n"                                                                                                     \
    "3:\n\t" one "subs    %[n], %[n], #1\n\t"                                                                          \
    "bne     3b\n"                                                                                                     \
    "4:\n"

/* A loop over taps; `step` leads from a tap to the next one of the same channel. */
#define AOT_FOR_TAPS(tap) "1:\n\t" tap "add     %[x], %[x], %[step]\n\tsubs    %[n], %[n], #1\n\tbne     1b\n"

#define AOT_CLOBBERED                                                                                                  \
    "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23",      \
        "s24", "s25", "s26", "s27", "cc", "memory"

/* Adds x[n] times the weights [n][4] to four sums; advances both pointers. */
AOT_INLINE void aot_dot_of_4(const float **weights, const float **x, uint32_t n, aot_sums_f32_t *sums) {
    __asm__ volatile(AOT_FOR_COLUMNS("vldm    %[x]!, {s8-s11}\n\t"
                                     "vldm    %[w]!, {s12-s27}\n\t" AOT_COLUMN_OF_4("s12", "s13", "s14", "s15", "s8")
                                         AOT_COLUMN_OF_4("s16", "s17", "s18", "s19", "s9")
                                             AOT_COLUMN_OF_4("s20", "s21", "s22", "s23", "s10")
                                                 AOT_COLUMN_OF_4("s24", "s25", "s26", "s27", "s11"),
                                     "vldm    %[x]!, {s8}\n\t"
                                     "vldm    %[w]!, {s12-s15}\n\t" AOT_COLUMN_OF_4("s12", "s13", "s14", "s15", "s8"))
                     : [w] "+r"(*weights), [x] "+r"(*x), [n] "+r"(n), [a] "+t"(sums->a), [b] "+t"(sums->b),
                       [c] "+t"(sums->c), [d] "+t"(sums->d)
                     :
                     : AOT_CLOBBERED);
}

/* The same for two sums, with weights [n][2]. */
AOT_INLINE void aot_dot_of_2(const float **weights, const float **x, uint32_t n, aot_sums_f32_t *sums) {
    __asm__ volatile(AOT_FOR_COLUMNS("vldm    %[x]!, {s8-s11}\n\t"
                                     "vldm    %[w]!, {s12-s19}\n\t" AOT_COLUMN_OF_2("s12", "s13", "s8")
                                         AOT_COLUMN_OF_2("s14", "s15", "s9") AOT_COLUMN_OF_2("s16", "s17", "s10")
                                             AOT_COLUMN_OF_2("s18", "s19", "s11"),
                                     "vldm    %[x]!, {s8}\n\t"
                                     "vldm    %[w]!, {s12-s13}\n\t" AOT_COLUMN_OF_2("s12", "s13", "s8"))
                     : [w] "+r"(*weights), [x] "+r"(*x), [n] "+r"(n), [a] "+t"(sums->a), [b] "+t"(sums->b)
                     :
                     : AOT_CLOBBERED);
}

/* The same for one sum, with weights [n]. */
AOT_INLINE void aot_dot_of_1(const float **weights, const float **x, uint32_t n, aot_sums_f32_t *sums) {
    __asm__ volatile(AOT_FOR_COLUMNS("vldm    %[x]!, {s8-s11}\n\t"
                                     "vldm    %[w]!, {s12-s15}\n\t" AOT_PRODUCT("s12", "s8") AOT_PRODUCT("s13", "s9")
                                         AOT_PRODUCT("s14", "s10") AOT_PRODUCT("s15", "s11") AOT_SUM("a", "s12")
                                             AOT_SUM("a", "s13") AOT_SUM("a", "s14") AOT_SUM("a", "s15"),
                                     "vldm    %[x]!, {s8}\n\t"
                                     "vldm    %[w]!, {s12}\n\t" AOT_PRODUCT("s12", "s8") AOT_SUM("a", "s12"))
                     : [w] "+r"(*weights), [x] "+r"(*x), [n] "+r"(n), [a] "+t"(sums->a)
                     :
                     : AOT_CLOBBERED);
}

/*
 * A row of n taps, at least one, of four channels at once: adds x[n][step] times the weights [n][4] to four sums, one
 * per channel. Advances both pointers.
 */
AOT_INLINE void aot_taps_of_4(const float **weights, const float **x, uint32_t n, uint32_t step, aot_sums_f32_t *sums) {
    __asm__ volatile(AOT_FOR_TAPS("vldm    %[x], {s8-s11}\n\t"
                                  "vldm    %[w]!, {s12-s15}\n\t" AOT_PRODUCT("s12", "s8") AOT_PRODUCT("s13", "s9")
                                      AOT_PRODUCT("s14", "s10") AOT_PRODUCT("s15", "s11") AOT_SUM("a", "s12")
                                          AOT_SUM("b", "s13") AOT_SUM("c", "s14") AOT_SUM("d", "s15"))
                     : [w] "+r"(*weights), [x] "+r"(*x), [n] "+r"(n), [a] "+t"(sums->a), [b] "+t"(sums->b),
                       [c] "+t"(sums->c), [d] "+t"(sums->d)
                     : [step] "r"(step * sizeof(float))
                     : AOT_CLOBBERED);
}

/* The same for two channels. */
AOT_INLINE void aot_taps_of_2(const float **weights, const float **x, uint32_t n, uint32_t step, aot_sums_f32_t *sums) {
    __asm__ volatile(AOT_FOR_TAPS("vldm    %[x], {s8-s9}\n\t"
                                  "vldm    %[w]!, {s12-s13}\n\t" AOT_PRODUCT("s12", "s8") AOT_PRODUCT("s13", "s9")
                                      AOT_SUM("a", "s12") AOT_SUM("b", "s13"))
                     : [w] "+r"(*weights), [x] "+r"(*x), [n] "+r"(n), [a] "+t"(sums->a), [b] "+t"(sums->b)
                     : [step] "r"(step * sizeof(float))
                     : AOT_CLOBBERED);
}

/* The same for one channel. */
AOT_INLINE void aot_taps_of_1(const float **weights, const float **x, uint32_t n, uint32_t step, aot_sums_f32_t *sums) {
    __asm__ volatile(AOT_FOR_TAPS("vldm    %[x], {s8}\n\t"
                                  "vldm    %[w]!, {s12}\n\t" AOT_PRODUCT("s12", "s8") AOT_SUM("a", "s12"))
                     : [w] "+r"(*weights), [x] "+r"(*x), [n] "+r"(n), [a] "+t"(sums->a)
                     : [step] "r"(step * sizeof(float))
                     : AOT_CLOBBERED);
}

#else

AOT_INLINE void aot_dot_of_4(const float **weights, const float **x, uint32_t n, aot_sums_f32_t *sums) {
    const float *w = *weights, *end = *x + n;
    for (const float *value = *x; value != end; value++, w += 4) {
        sums->a += *value * w[0];
        sums->b += *value * w[1];
        sums->c += *value * w[2];
        sums->d += *value * w[3];
    }
    *weights = w;
    *x = end;
}

AOT_INLINE void aot_dot_of_2(const float **weights, const float **x, uint32_t n, aot_sums_f32_t *sums) {
    const float *w = *weights, *end = *x + n;
    for (const float *value = *x; value != end; value++, w += 2) {
        sums->a += *value * w[0];
        sums->b += *value * w[1];
    }
    *weights = w;
    *x = end;
}

AOT_INLINE void aot_dot_of_1(const float **weights, const float **x, uint32_t n, aot_sums_f32_t *sums) {
    const float *end = *x + n;
    for (const float *value = *x; value != end; value++) {
        sums->a += *value * *(*weights)++;
    }
    *x = end;
}

AOT_INLINE void aot_taps_of_4(const float **weights, const float **x, uint32_t n, uint32_t step, aot_sums_f32_t *sums) {
    for (; n != 0; n--, *x += step, *weights += 4) {
        sums->a += (*x)[0] * (*weights)[0];
        sums->b += (*x)[1] * (*weights)[1];
        sums->c += (*x)[2] * (*weights)[2];
        sums->d += (*x)[3] * (*weights)[3];
    }
}

AOT_INLINE void aot_taps_of_2(const float **weights, const float **x, uint32_t n, uint32_t step, aot_sums_f32_t *sums) {
    for (; n != 0; n--, *x += step, *weights += 2) {
        sums->a += (*x)[0] * (*weights)[0];
        sums->b += (*x)[1] * (*weights)[1];
    }
}

AOT_INLINE void aot_taps_of_1(const float **weights, const float **x, uint32_t n, uint32_t step, aot_sums_f32_t *sums) {
    for (; n != 0; n--, *x += step, *weights += 1) {
        sums->a += **x * **weights;
    }
}

#endif

#endif
