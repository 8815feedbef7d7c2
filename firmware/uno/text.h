/* Counts as decimal numbers, in integers: an Uno has no floating point, and the counts must come back exactly. */
#ifndef TEXT_H
#define TEXT_H

#include "row.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The most bytes of a number and of a row, with the zero at their ends. */
#define NUMBER_TEXT_BYTES 10
#define ROW_TEXT_BYTES (CHANNELS * NUMBER_TEXT_BYTES + 1)

/* Six numbers, g with 4 decimals and dps with 2, commas between them, and the end of the line. */
void text_row(char *text, const int16_t row[CHANNELS]);

/* A number of hundredths with 2 decimals. */
void text_hundredths(char *text, uint16_t hundredths);

#ifdef __cplusplus
}
#endif

#endif
