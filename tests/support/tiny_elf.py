"""A tiny image that shows that a board runs: it sends `!` at boot and then echoes its serial line."""

from __future__ import annotations

import struct
from pathlib import Path

FLASH = 0x08000000

# fmt: off
PROGRAM = struct.pack(
    "<II12HI",
    0x20001000,      # initial stack pointer
    FLASH + 8 + 1,   # reset vector, in Thumb state
    0x4805,          #       ldr  r0, =USART2
    0xF242, 0x010C,  #       movw r1, #0x200c      UE, TE, RE
    0x60C1,          #       str  r1, [r0, #0xc]   CR1
    0x2221,          #       movs r2, #'!'
    0x6042,          #       str  r2, [r0, #4]     DR
    0x6803,          # loop: ldr  r3, [r0]         SR
    0x069B,          #       lsls r3, r3, #26      RXNE to the sign
    0xD5FC,          #       bpl  loop
    0x6842,          #       ldr  r2, [r0, #4]
    0x6042,          #       str  r2, [r0, #4]
    0xE7F9,          #       b    loop
    0x40004400,      # USART2
)
# fmt: on


def write_tiny_elf(path: Path) -> Path:
    """Write an ELF file with one loadable segment at the start of flash."""
    header = struct.pack(
        "<4sBBB9xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 2, 40, 1, FLASH + 9, 52, 0, 0x05000200, 52, 32, 1, 0, 0, 0
    )
    segment = struct.pack("<8I", 1, 84, FLASH, FLASH, len(PROGRAM), len(PROGRAM), 5, 4)
    path.write_bytes(header + segment + PROGRAM)
    return path
