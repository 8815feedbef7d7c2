/*
 * The inner loop of the int8 layers: dot products of one int8 vector with two or four rows of packed weights.
 *
 * Two rows share one multiplication. For the rows h and l the compiler stores the 16-bit values 256 * h + l, so that
 *     sum(x * (256 h + l)) = 256 sum(x h) + sum(x l)
 * and, because the low byte of a value is l, sign-extending it gives the second sum on its own. sum(x h) is then the
 * difference divided by 256. A core with the DSP extension needs three instructions for four products (SMLAD on the
 * stored word, SXTB16, SMLAD) instead of four for unpacked bytes; a core without it loads half as many weights.
 *
 * This is exact under two conditions, which the compiler guarantees: 256 h + l fits into 16 bits (never both h = -128
 * and l < 0), and a call covers at most AOT_DOT_BLOCKS blocks, so that |sum(x h)| is below 2^23: 480 * 128 * 128 <
 * 2^23.
 *
 * A block is four columns. For each block and pair of rows there are four values, for columns 0, 2, 1, 3 (the order in
 * which SXTB16 unpacks a word of inputs); a group of four rows stores pair (0, 1), then pair (2, 3). Columns beyond the
 * end of the vector have zero weights, so the content of x does not matter there, but it must be readable.
 */
#ifndef AOT_DOT_S8_H
#define AOT_DOT_S8_H

#include <stdint.h>

#define AOT_DOT_BLOCKS 120u

/* Adds to sums[r] the dot product of row r with 4 * blocks elements of x. `weights` must be aligned to 4 bytes. */
void aot_dot4_s8(const int16_t *weights, const int8_t *x, uint32_t blocks, int32_t sums[4]);
void aot_dot2_s8(const int16_t *weights, const int8_t *x, uint32_t blocks, int32_t sums[2]);

#endif
