/* What the sensor senses at one moment. */
#ifndef ROW_H
#define ROW_H

#include <stdint.h>

/* Acceleration along x, y and z, then angular rate about x, y and z, in raw counts. */
#define CHANNELS 6
#define AXES 3

/* At 4 g and at 2000 dps: PS-MPU-6000A-00, revision 3.4, sections 6.2 and 6.1. */
#define COUNTS_PER_G 8192u
#define TENTHS_OF_COUNTS_PER_DPS 164u

#endif
