/* The golden vectors on an 8-bit AVR, where int has 16 bits: what portable C means. MODEL_HEADER, MODEL_ARENA,
 * MODEL_ALIGN and MODEL_SELF_TEST name the model; the answer goes to the first serial port, then the core sleeps and
 * simavr ends. */
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <stdio.h>

#include MODEL_HEADER

static uint8_t arena[MODEL_ARENA] __attribute__((aligned(MODEL_ALIGN)));

static int put(char c, FILE *stream) {
  (void)stream;
  while (!(UCSR0A & (1 << UDRE0))) {
  }
  UDR0 = (uint8_t)c;
  return 0;
}

static FILE serial = FDEV_SETUP_STREAM(put, NULL, _FDEV_SETUP_WRITE);

int main(void) {
  UCSR0B = 1 << TXEN0;
  UBRR0 = 1;
  stdout = &serial;
  printf("self test %d\n", MODEL_SELF_TEST(arena));
  cli();
  sleep_enable();
  sleep_cpu();
  return 0;
}
