/*
 * The I2C controller of an STM32F2 or F4 (reference manuals as in stm32.h), polled, at 400 kHz: bus.h for a sensor.
 */
#include "board.h"
#include "bus.h"
#include "stm32/stm32.h"

#define RCC_APB1ENR_I2C (1u << (20u + BOARD_SENSOR_BUS))
#define PIN_FUNCTION 4u

#define I2C (0x40005000u + 0x400u * BOARD_SENSOR_BUS)
#define I2C_CR1 REGISTER(I2C + 0x00u)
#define I2C_CR1_PE (1u << 0)
#define I2C_CR1_START (1u << 8)
#define I2C_CR1_STOP (1u << 9)
#define I2C_CR1_SWRST (1u << 15)
#define I2C_CR2 REGISTER(I2C + 0x04u)
#define I2C_DR REGISTER(I2C + 0x10u)
#define I2C_SR1 REGISTER(I2C + 0x14u)
#define I2C_SR1_SB (1u << 0)
#define I2C_SR1_ADDR (1u << 1)
#define I2C_SR1_RXNE (1u << 6)
#define I2C_SR1_TXE (1u << 7)
#define I2C_SR1_ERRORS (1u << 8 | 1u << 9 | 1u << 10) /* misplaced START or STOP, lost arbitration, no acknowledge */
#define I2C_SR2 REGISTER(I2C + 0x18u)
#define I2C_CCR REGISTER(I2C + 0x1Cu)
#define I2C_CCR_FAST (1u << 15)
#define I2C_TRISE REGISTER(I2C + 0x20u)

#define FAST_HZ 400000u
#define RISE_NS 300u
#define WRITE 0u
#define READ 1u

/* Iterations to wait, many times longer than the 23 us of a byte at any clock. */
#define PATIENCE 20000u

static void set_up_pin(uint32_t port, uint32_t pin) {
    RCC_AHB1ENR |= RCC_AHB1ENR_GPIO(port);
    GPIO_AFR(port, pin) = (GPIO_AFR(port, pin) & ~(0xFu << 4 * (pin % 8))) | PIN_FUNCTION << 4 * (pin % 8);
    GPIO_OTYPER(port) |= GPIO_OTYPER_OPEN_DRAIN << pin;
    GPIO_PUPDR(port) = (GPIO_PUPDR(port) & ~(3u << 2 * pin)) | GPIO_PUPDR_UP << 2 * pin;
    GPIO_MODER(port) = (GPIO_MODER(port) & ~(3u << 2 * pin)) | GPIO_MODER_ALTERNATE << 2 * pin;
}

void bus_init(void) {
    const uint32_t bus_hz = board_clock_hz() == F_CPU ? F_CPU / APB1_DIVIDER : board_clock_hz();
    const uint32_t bus_mhz = bus_hz / 1000000u;
    set_up_pin(BOARD_SENSOR_SCL_PORT, BOARD_SENSOR_SCL_PIN);
    set_up_pin(BOARD_SENSOR_SDA_PORT, BOARD_SENSOR_SDA_PIN);
    RCC_APB1ENR |= RCC_APB1ENR_I2C;
    I2C_CR1 = I2C_CR1_SWRST; /* a controller that takes the bus for busy does so until then */
    I2C_CR1 = 0;
    I2C_CR2 = bus_mhz;
    I2C_CCR = I2C_CCR_FAST | (bus_hz + 3u * FAST_HZ - 1u) / (3u * FAST_HZ);
    I2C_TRISE = bus_mhz * RISE_NS / 1000u + 1u;
    I2C_CR1 = I2C_CR1_PE;
}

static bool await(uint32_t flag) {
    for (uint32_t i = 0; i < PATIENCE; i++) {
        uint32_t status = I2C_SR1;
        if (status & I2C_SR1_ERRORS) {
            return false;
        }
        if (status & flag) {
            return true;
        }
    }
    return false;
}

/* Sends START, or a repeated one, and the address. The controller does not acknowledge: only one byte is ever read. */
static bool address_device(uint8_t address, uint32_t direction) {
    I2C_CR1 = I2C_CR1_PE | I2C_CR1_START;
    if (!await(I2C_SR1_SB)) {
        return false;
    }
    I2C_DR = (uint32_t)address << 1 | direction;
    if (!await(I2C_SR1_ADDR)) {
        return false;
    }
    (void)I2C_SR2; /* the read after that of SR1 clears ADDR */
    return true;
}

static bool send(uint8_t byte) {
    I2C_DR = byte;
    return await(I2C_SR1_TXE);
}

static void stop(void) {
    I2C_CR1 = I2C_CR1_PE | I2C_CR1_STOP;
}

/* Waits until the controller has sent STOP: until then CR1 must not be written, and the last byte may be refused. */
static bool finish(void) {
    for (uint32_t i = 0; i < PATIENCE && I2C_CR1 & I2C_CR1_STOP; i++) {
    }
    bool done = !(I2C_SR1 & I2C_SR1_ERRORS);
    I2C_SR1 = 0; /* clears the errors */
    return done;
}

bool bus_read(uint8_t address, uint8_t reg, uint8_t *value) {
    bool done = address_device(address, WRITE) && send(reg) && address_device(address, READ);
    stop();
    done = done && await(I2C_SR1_RXNE);
    *value = done ? (uint8_t)I2C_DR : 0;
    return finish() && done;
}

bool bus_write(uint8_t address, uint8_t reg, uint8_t value) {
    bool done = address_device(address, WRITE) && send(reg) && send(value);
    stop();
    return finish() && done;
}
