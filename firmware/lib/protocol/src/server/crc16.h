/* CRC-16/IBM-3740: polynomial 0x1021, not reflected, no final xor; "123456789" gives 0x29B1. */
#ifndef CRC16_H
#define CRC16_H

#include <stdint.h>

#define CRC16_INITIAL 0xFFFFu

/* Returns the CRC of `length` bytes, continued from `crc`; start with CRC16_INITIAL. */
uint16_t hil_crc16(uint16_t crc, const uint8_t *data, uint16_t length);

#endif
