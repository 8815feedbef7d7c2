"""A receive interrupt takes every byte that is there: it may come once for several of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from support.firmware_helpers import LIBRARIES

# The registers of each family are an array, of which the test's UART knows two or three.
CORE = """
#include <stdint.h>
volatile uint32_t *access(uint32_t address);
typedef void (*vector_t)(void);
void chip_on_uart(void);
#define REGISTER(address) (*access(address))
#define CHIP_UART_IRQ(number) extern int unused;
"""
UART = """
#include <stdio.h>
#include "board.h"
#include "SOURCE"

#define BYTES 5

static uint32_t left = BYTES, data;
static volatile uint32_t value;

volatile uint32_t *access(uint32_t address) {
    value = 0;
    if (address == STATUS_ADDRESS) {
        value = left ? AVAILABLE : EMPTY;
    } else if (address == DATA_ADDRESS) {
        value = data++;
        left--;
    }
    return &value;
}

void board_on_receive(uint8_t byte) {
    printf("%u ", byte);
}

int main(void) {
    chip_on_uart();
    return (int)left;
}
"""

TARGET = ["F_CPU=16000000u", "BOARD_UART_BAUD=115200u", "BOARD_UART_TX_PORT=0u", "BOARD_UART_RX_PORT=0u"]
TARGET += ["BOARD_UART_TX_PIN=0u", "BOARD_UART_RX_PIN=1u"]


# The addresses of status and data, and what the status is if a byte is there, and if none is.
@pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc on PATH")
@pytest.mark.parametrize(
    ("source", "status", "available", "empty", "data", "defines"),
    [
        ("mps2/mps2.c", 0x4000_4004, 1 << 1, 0, 0x4000_4000, ["MPS2_UART=0x40004000u", "MPS2_UART_IRQ=0"]),
        ("nrf/uart.c", 0x4000_2108, 1 << 0, 0, 0x4000_2518, []),
        ("rp2040/uart.c", 0x4003_4018, 0, 1 << 4, 0x4003_4000, []),
        ("stm32/uart.c", 0x4000_4400, 1 << 5, 0, 0x4000_4404, ["STM32_USART=2"]),
        ("stm32l4/uart.c", 0x4000_801C, 1 << 5, 0, 0x4000_8024, []),
    ],
)
def test_all_bytes_are_taken_at_once(
    tmp_path: Path, source: str, status: int, available: int, empty: int, data: int, defines: list[str]
) -> None:
    (tmp_path / "cortexm").mkdir()
    (tmp_path / "cortexm" / "cortexm.h").write_text(CORE)
    (tmp_path / "uart.c").write_text(UART.replace("SOURCE", source))
    uart = [f"STATUS_ADDRESS={status}u", f"AVAILABLE={available}u", f"EMPTY={empty}u", f"DATA_ADDRESS={data}u"]
    defines = [*uart, *TARGET, *defines]
    flags = ["-std=c11", "-O1", "-w", "-no-pie", "-Wl,--unresolved-symbols=ignore-all", f"-I{tmp_path}"]
    flags += [f"-I{LIBRARIES / 'board'}", *(f"-D{definition}" for definition in defines)]
    subprocess.run(["gcc", *flags, "-o", "uart", "uart.c"], cwd=tmp_path, check=True)
    done = subprocess.run([tmp_path / "uart"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["0", "1", "2", "3", "4"])
