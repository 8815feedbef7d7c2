/*
 * The second boot stage, section 2.8.1.3 of the datasheet. The boot ROM reads the first 256 bytes of the flash
 * slowly, checks their CRC, and runs them in RAM. This stage makes the flash readable as memory, then starts the
 * program as the core starts one: with the stack pointer and the address from its vectors, which follow.
 *
 * It uses the read command 03h, which every serial flash knows, at a quarter of the core clock. That is slow, but the
 * cache hides it from code that fits into its 16 KB.
 */

/* CRC-32/MPEG-2 of the 252 bytes before it. */
#define CRC "0x19A6C41C"

__asm(".syntax unified                   \n"
      ".section .boot, \"ax\"            \n"
      ".thumb                            \n"
      ".balign 256                       \n"
      "1: ldr  r0, ssi                   \n"
      "movs r1, #0                       \n"
      "str  r1, [r0, #0x08]              \n" /* SSIENR: off while it is set up */
      "movs r2, #4                       \n"
      "str  r2, [r0, #0x14]              \n" /* BAUDR: clock divider */
      "ldr  r2, ctrlr0                   \n"
      "str  r2, [r0, #0x00]              \n" /* CTRLR0 */
      "str  r1, [r0, #0x04]              \n" /* CTRLR1: one word at a time */
      "ldr  r2, spi_ctrlr0               \n"
      "movs r3, #0xF4                    \n"
      "str  r2, [r0, r3]                 \n" /* SPI_CTRLR0 */
      "movs r2, #1                       \n"
      "str  r2, [r0, #0x08]              \n" /* SSIENR: on */
      "ldr  r0, vectors                  \n"
      "ldr  r1, vtor                     \n"
      "str  r0, [r1]                     \n"
      "ldr  r1, [r0, #0]                 \n"
      "msr  msp, r1                      \n"
      "ldr  r0, [r0, #4]                 \n"
      "bx   r0                           \n"
      ".hword 0                          \n" /* aligns the words */
      "ssi:        .word 0x18000000      \n"
      "ctrlr0:     .word 0x001F0300      \n" /* one data line; frames of 32 bits; send command and address, then read */
      "spi_ctrlr0: .word 0x03000218      \n" /* command 03h of 8 bits, address of 24 bits */
      "vectors:    .word 0x10000100      \n"
      "vtor:       .word 0xE000ED08      \n"
      ".org 1b + 252                     \n"
      ".word " CRC "                     \n"
      ".previous                         \n");
