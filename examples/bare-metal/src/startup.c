/* From reset to main(). The clock stays as it is after reset: 16 MHz from the internal oscillator. */
#include <stdint.h>

extern uint32_t data_begin[], data_end[], bss_begin[], bss_end[], stack_top[];
extern const uint32_t data_source[];

int main(void);
void on_fault(void);
void uart_on_interrupt(void);

static void hang(void) {
    for (;;) {
    }
}

void reset(void) {
    const uint32_t *from = data_source;
    for (uint32_t *to = data_begin; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_begin; to < bss_end; to++) {
        *to = 0;
    }
    main();
    hang();
}

#define USART2_IRQ 38

__attribute__((section(".vectors"), used)) static void (*const vectors[16 + USART2_IRQ + 1])(void) = {
    [0] = (void (*)(void))(uintptr_t)stack_top,
    [1] = reset,
    [2] = hang,
    [3 ... 6] = on_fault,
    [7 ... 15 + USART2_IRQ] = hang,
    [16 + USART2_IRQ] = uart_on_interrupt,
};
