#include "uart.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define RCC_AHB1ENR REGISTER(0x40023830u)
#define RCC_APB1ENR REGISTER(0x40023840u)
#define GPIOA_MODER REGISTER(0x40020000u)
#define GPIOA_AFRL REGISTER(0x40020020u)
#define USART2_SR REGISTER(0x40004400u)
#define USART2_DR REGISTER(0x40004404u)
#define USART2_BRR REGISTER(0x40004408u)
#define USART2_CR1 REGISTER(0x4000440Cu)
#define NVIC_ISER1 REGISTER(0xE000E104u)

#define OVERRUN (1u << 3)
#define RECEIVED (1u << 5)
#define SENT (1u << 6)
#define EMPTY (1u << 7)

#define HSI_HZ 16000000u
#define BAUD 115200u

/* Room for two requests of 256 bytes, because the host may have two in flight, and for two repeated ones. */
#define RING_BYTES 1024u

static uint8_t ring[RING_BYTES];
static volatile uint16_t head, tail;
static volatile uint32_t lost;

void uart_start(void) {
    RCC_AHB1ENR |= 1u << 0;
    RCC_APB1ENR |= 1u << 17;
    GPIOA_AFRL = (GPIOA_AFRL & ~0xFF00u) | 0x7700u;
    GPIOA_MODER = (GPIOA_MODER & ~0xF0u) | 0xA0u;
    USART2_BRR = (HSI_HZ + BAUD / 2) / BAUD;
    USART2_CR1 = (1u << 13) | (1u << 5) | (1u << 3) | (1u << 2); /* UE, RXNEIE, TE, RE */
    NVIC_ISER1 = 1u << (38 - 32);
}

void uart_on_interrupt(void);

void uart_on_interrupt(void) {
    while (USART2_SR & (RECEIVED | OVERRUN)) {
        uint16_t next = (uint16_t)((head + 1u) % RING_BYTES);
        uint8_t byte = (uint8_t)USART2_DR; /* the read also clears both flags */
        if (next == tail) {
            lost++;
        } else {
            ring[head] = byte;
            head = next;
        }
    }
}

bool uart_read(uint8_t *byte) {
    if (head == tail) {
        return false;
    }
    *byte = ring[tail];
    tail = (uint16_t)((tail + 1u) % RING_BYTES);
    return true;
}

void uart_write(const uint8_t *data, uint16_t length) {
    for (uint16_t i = 0; i < length; i++) {
        while (!(USART2_SR & EMPTY)) {
        }
        USART2_DR = data[i];
    }
}

void uart_flush(void) {
    while (!(USART2_SR & SENT)) {
    }
}

uint32_t uart_lost(void) {
    return lost;
}
