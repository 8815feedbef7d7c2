/* FULLY_CONNECTED on float32, with TFLM's order of additions and roundings. */
#include "aot_float.h"
#include "aot_fully_connected.h"

/* Build with -ffp-contract=off, or the compiler may fuse a product with its addition and round once, not twice. */
#if defined(__ARM_FP) && (__ARM_FP & 4) && defined(__thumb2__)

/*
 * One column of four rows: the weights times the input x, each added to its row's sum. VMUL and VADD rather than VMLA:
 * on a Cortex-M4 they take two cycles together, as four rows keep the results apart, and VMLA takes three.
 */
#define COLUMN(w0, w1, w2, w3, x)                                                                                      \
    "vmul.f32 " w0 ", " w0 ", " x "\n\t"                                                                               \
    "vmul.f32 " w1 ", " w1 ", " x "\n\t"                                                                               \
    "vmul.f32 " w2 ", " w2 ", " x "\n\t"                                                                               \
    "vmul.f32 " w3 ", " w3 ", " x "\n\t"                                                                               \
    "vadd.f32 %[a], %[a], " w0 "\n\t"                                                                                  \
    "vadd.f32 %[b], %[b], " w1 "\n\t"                                                                                  \
    "vadd.f32 %[c], %[c], " w2 "\n\t"                                                                                  \
    "vadd.f32 %[d], %[d], " w3 "\n\t"

#define FOUR_COLUMNS                                                                                                   \
    "vldm    %[x]!, {s8-s11}\n\t"                                                                                      \
    "vldm    %[w]!, {s12-s27}\n\t" COLUMN("s12", "s13", "s14", "s15", "s8") COLUMN("s16", "s17", "s18", "s19", "s9")   \
        COLUMN("s20", "s21", "s22", "s23", "s10") COLUMN("s24", "s25", "s26", "s27", "s11")

#define ONE_COLUMN                                                                                                     \
    "vldm    %[x]!, {s8}\n\t"                                                                                          \
    "vldm    %[w]!, {s12-s15}\n\t" COLUMN("s12", "s13", "s14", "s15", "s8")

#define FOR_COLUMNS                                                                                                    \
    "subs    %[n], %[n], #4\n\t"                                                                                       \
    "blo     2f\n"                                                                                                     \
    "1:\n\t" FOUR_COLUMNS "subs    %[n], %[n], #4\n\t"                                                                 \
    "bhs     1b\n"                                                                                                     \
    "2:\n\t"                                                                                                           \
    "adds    %[n], %[n], #4\n\t"                                                                                       \
    "beq     4f\n"                                                                                                     \
    "3:\n\t" ONE_COLUMN "subs    %[n], %[n], #1\n\t"                                                                   \
    "bne     3b\n"                                                                                                     \
    "4:\n"

/* sums[r] = sum over c of x[c] * weights[c][r]. */
static inline void dot4(const float *weights, const float *x, uint32_t columns, float sums[4]) {
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    uint32_t n = columns;
    __asm__ volatile(FOR_COLUMNS
                     : [w] "+r"(weights), [x] "+r"(x), [n] "+r"(n), [a] "+t"(a), [b] "+t"(b), [c] "+t"(c), [d] "+t"(d)
                     :
                     : "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16", "s17", "s18", "s19", "s20", "s21",
                       "s22", "s23", "s24", "s25", "s26", "s27", "cc", "memory");
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

#else

/* sums[r] = sum over c of x[c] * weights[c][r]. */
static inline void dot4(const float *weights, const float *x, uint32_t columns, float sums[4]) {
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    for (uint32_t column = 0; column < columns; column++, weights += 4) {
        a += x[column] * weights[0];
        b += x[column] * weights[1];
        c += x[column] * weights[2];
        d += x[column] * weights[3];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

#endif

static inline float finish(const aot_fully_connected_f32_t *layer, float sum, uint32_t row) {
    return aot_limit(sum + layer->bias[row], layer->minimum, layer->maximum);
}

void aot_fully_connected_f32(const aot_fully_connected_f32_t *layer, const float *x, float *y) {
    const uint32_t columns = layer->columns;
    for (uint32_t batch = 0; batch < layer->batches; batch++, x += columns) {
        const float *weights = layer->weights;
        uint32_t row = 0;
        for (; row + 4 <= layer->rows; row += 4, weights += 4 * columns) {
            float sums[4];
            dot4(weights, x, columns, sums);
            for (uint32_t i = 0; i < 4; i++) {
                *y++ = finish(layer, sums[i], row + i);
            }
        }
        for (; row < layer->rows; row++) {
            float sum = 0.0f;
            for (uint32_t column = 0; column < columns; column++) {
                sum += x[column] * *weights++;
            }
            *y++ = finish(layer, sum, row);
        }
    }
}
