/*
 * See aot_groups.h. An output has so few products here that the code around them takes most of the time. So everything
 * from the inputs to the stored outputs is in assembler, which keeps all values in registers.
 */
#include "aot_channel.h"
#include "aot_groups.h"

#include <stdbool.h>

#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP

/* A block of a run: four inputs, r2 is their address. */
#define BLOCK                                                                                                          \
    "ldr.w   r12, [r2], #4\n\t"                                                                                        \
    "ldm.w   r0!, {r4, r5, r6, r7}\n\t"                                                                                \
    "sxtb16  r3, r12\n\t"                                                                                              \
    "sxtb16  r12, r12, ror #8\n\t"                                                                                     \
    "smlad   r8, r3, r4, r8\n\t"                                                                                       \
    "smlad   r9, r3, r5, r9\n\t"                                                                                       \
    "smlad   r10, r3, r6, r10\n\t"                                                                                     \
    "smlad   r11, r3, r7, r11\n\t"                                                                                     \
    "ldm.w   r0!, {r4, r5, r6, r7}\n\t"                                                                                \
    "smlad   r8, r12, r4, r8\n\t"                                                                                      \
    "smlad   r9, r12, r5, r9\n\t"                                                                                      \
    "smlad   r10, r12, r6, r10\n\t"                                                                                    \
    "smlad   r11, r12, r7, r11\n\t"
/* Bytes of code. */
#define BLOCK_BYTES "52"
#define SINGLE_BYTES "28 + 4 * 52"
#define STORE_BYTES "98"

/* aot_stored_s8() of one output. */
#define STORE_LINEAR(sum, multiplier, offset, shift)                                                                   \
    "add     " offset ", " offset ", " sum ", asr #31\n\t"                                                             \
    "smmlar  " sum ", " sum ", " multiplier ", " offset "\n\t"                                                         \
    "asr     " sum ", " sum ", " shift "\n\t" /* by the lowest byte */                                                 \
    "ssat    " sum ", #8, " sum ", asr #1\n\t"                                                                         \
    "strb    " sum ", [r1], #1\n\t"
/* The same for a sum that is raised to zero before. */
#define STORE_RELU(sum, multiplier, offset, shift)                                                                     \
    "bic     " sum ", " sum ", " sum ", asr #31\n\t"                                                                   \
    "smmlar  " sum ", " sum ", " multiplier ", " offset "\n\t"                                                         \
    "asr     " sum ", " sum ", " shift "\n\t"                                                                          \
    "ssat    " sum ", #8, " sum ", asr #1\n\t"                                                                         \
    "strb    " sum ", [r1], #1\n\t"
/* clang-format off */
#define STORE_FOUR(store)                                                                                              \
    "ldm.w   r0!, {r3, r4, r5, r6, r7, r12}\n\t"                                                                       \
    store("r8", "r3", "r4", "r5")                                                                                      \
    store("r9", "r6", "r7", "r12")                                                                                     \
    "ldm.w   r0!, {r3, r4, r5, r6, r7, r12}\n\t"                                                                       \
    store("r10", "r3", "r4", "r5")                                                                                     \
    store("r11", "r6", "r7", "r12")                                                                                    \
    "cmp     r12, #0\n\t" /* negative for the last four outputs of a group */                                         \
    "bge.w   10b\n\t"
/* clang-format on */
/* Stops the assembler unless there are so many bytes between two labels. */
#define CHECK_BYTES(first, last, bytes) ".if (" last " - " first ") != " bytes "\n\t.error \"" bytes "\"\n\t.endif\n\t"

/*
 * Keeps a copy of `groups` on the stack, in which blocks, single and relu are replaced by addresses of code: those for
 * a run, for its blocks, and after the last run.
 */
__attribute__((naked, aligned(4))) void aot_outputs_of_groups(__attribute__((unused)) const aot_groups_t *groups,
                                                              __attribute__((unused)) int8_t *y) {
    /* clang-format off */
    __asm__ volatile(
        "push    {r4, r5, r6, r7, r8, r9, r10, r11, lr}\n\t"
        "add     r2, r0, #40\n\t"
        "ldm     r2, {r3, r4, r5, r6}\n\t"
        "push    {r3, r4, r5, r6}\n\t"
        "ldm.w   r0, {r2, r3, r4, r5, r6, r7, r8, r9, r10, r11}\n\t"
        "mov     r0, r8\n\t"
        "adr.w   lr, 12f + 1\n\t"
        "mov     r12, #" BLOCK_BYTES "\n\t"
        "mls     r9, r9, r12, lr\n\t"
        "cmp     r10, #0\n\t" /* single */
        "mov     r10, r9\n\t"
        "it      ne\n\t"
        "subne   r9, lr, #" SINGLE_BYTES "\n\t"
        "adr.w   lr, 14f + 1\n\t"
        "mov     r12, #" STORE_BYTES "\n\t"
        "mla     r11, r11, r12, lr\n\t" /* relu */
        "adr.w   lr, 13f + 1\n\t"
        "cmp     r4, r5\n\t"
        "it      eq\n\t" /* a single run */
        "moveq   lr, r11\n\t"
        "push.w  {r2, r3, r4, r5, r6, r7, r8, r9, r10, r11}\n"
        "10:\n\t"
        "ldr     r2, [sp, #8]\n" /* x */
        "11:\n\t"
        "ldm.w   r0!, {r8, r9, r10, r11}\n\t"
        "ldr.w   pc, [sp, #28]\n" /* run */
        /* A single input. */
        "20:\n\t"
        "ldrsb.w r3, [r2], #1\n\t"
        "ldrd    r4, r5, [r0], #8\n\t"
        "smlabb  r8, r3, r4, r8\n\t"
        "smlabt  r9, r3, r4, r9\n\t"
        "smlabb  r10, r3, r5, r10\n\t"
        "smlabt  r11, r3, r5, r11\n\t"
        "ldr.w   pc, [sp, #32]\n\t" /* blocks */
        BLOCK BLOCK BLOCK BLOCK
        "12:\n\t"
        CHECK_BYTES("20b", "12b", SINGLE_BYTES)
        "bx      lr\n"
        "13:\n\t"
        "ldrd    r3, r4, [sp, #12]\n\t" /* end of the runs, run_step */
        "add     r2, r2, r4\n\t"
        "cmp     r2, r3\n\t"
        "it      ne\n\t"
        "ldrne.w pc, [sp, #28]\n\t" /* run */
        "ldr.w   pc, [sp, #36]\n"    /* after the last run */
        "14:\n\t"
        STORE_FOUR(STORE_LINEAR)
        "b.n     15f\n"
        "21:\n\t"
        CHECK_BYTES("14b", "21b", STORE_BYTES)
        STORE_FOUR(STORE_RELU)
        "15:\n\t"
        "ldm.w   sp, {r3, r4, r5, r6}\n\t" /* y_step, x_step, x, end of the runs */
        "add     r1, r1, r3\n\t"
        "add     r2, r5, r4\n\t"
        "add     r3, r6, r4\n\t"
        "strd    r2, r3, [sp, #8]\n\t"
        "ldrd    r3, r0, [sp, #20]\n\t" /* end, coefficients */
        "cmp     r2, r3\n\t"
        "bne     11b\n\t"
        /* The next row. */
        "ldr     r4, [sp, #52]\n\t" /* rows */
        "subs    r4, r4, #1\n\t"
        "beq     16f\n\t"
        "str     r4, [sp, #52]\n\t"
        "add     r4, sp, #40\n\t"
        "ldm     r4, {r4, r5, r6}\n\t" /* row_step, x_skip, y_skip */
        "ldr     r7, [sp, #12]\n\t"    /* end of the runs */
        "add     r2, r2, r5\n\t"
        "add     r7, r7, r5\n\t"
        "strd    r2, r7, [sp, #8]\n\t"
        "add     r3, r3, r4\n\t"
        "str     r3, [sp, #20]\n\t"
        "add     r1, r1, r6\n\t"
        "b.w     11b\n"
        "16:\n\t"
        "add     sp, sp, #56\n\t"
        "pop     {r4, r5, r6, r7, r8, r9, r10, r11, pc}\n\t");
    /* clang-format on */
}

#else

/* The outputs of a group, whose window begins at `x`; returns where those of the next group would follow. */
static int8_t *outputs_of_group(const aot_groups_t *groups, const int8_t *x, int8_t *y) {
    const int32_t *next = groups->coefficients, span = (int32_t)(groups->runs_end - groups->x);
    bool last = false;
    while (!last) {
        int32_t sums[4] = {next[0], next[1], next[2], next[3]};
        next += 4;
        const int8_t *input = x;
        do {
            if (groups->single != 0) {
                for (uint32_t lane = 0; lane < 4; lane += 2, next++) {
                    sums[lane] += *input * (int16_t)(*next & 0xffff);
                    sums[lane + 1] += *input * (*next >> 16);
                }
                input++;
            }
            for (uint32_t left = groups->blocks; left != 0; left--, input += 4) {
                for (uint32_t column = 0; column < 2; column++) {
                    for (uint32_t lane = 0; lane < 4; lane++, next++) {
                        sums[lane] += input[column] * (int16_t)(*next & 0xffff) + input[column + 2] * (*next >> 16);
                    }
                }
            }
            input += groups->run_step;
        } while (span != 0 && input != x + span);
        for (uint32_t lane = 0; lane < 4; lane++, next += 3) {
            const aot_channel_t channel = {0, next[0], (uint16_t)(next[2] & 0xff), 0};
            const int32_t sum = groups->relu != 0 && sums[lane] < 0 ? 0 : sums[lane];
            *y++ = (int8_t)aot_stored_s8(sum, &channel, next[1]);
            last = next[2] < 0;
        }
    }
    return y;
}

void aot_outputs_of_groups(const aot_groups_t *groups, int8_t *y) {
    const int8_t *row = groups->x;
    const uint32_t length = (uint32_t)(groups->end - row);
    for (uint32_t rows = groups->rows; rows != 0; rows--, row += groups->row_step, y += groups->y_skip) {
        for (const int8_t *x = row; x != row + length; x += groups->x_step) {
            y = outputs_of_group(groups, x, y) + groups->y_step;
        }
    }
}

#endif
