/* The microphone of edgetx's simulator: a peripheral that copies samples of a WAV file to memory, as DMA would.
 *
 * Write an address to BUFFER, then a number of samples to COUNT; COUNT then reads how many were copied.
 */
#include "etx_register.h"
#include "microphone.h"

enum { BUFFER = 0x0, COUNT = 0x4, RATE = 0x8, BLOCK = 160 };
static const uintptr_t MICROPHONE = 0x48000000u;

static microphone_sink deliver;

int microphone_start(uint32_t sample_rate_hz, microphone_sink sink) {
  deliver = sink;
  return *etx_register(MICROPHONE + RATE) == sample_rate_hz;
}

int microphone_wait(void) {
  static int16_t block[BLOCK];
  *etx_register(MICROPHONE + BUFFER) = (uint32_t)(uintptr_t)block;
  *etx_register(MICROPHONE + COUNT) = BLOCK;
  __asm__ volatile("" : : : "memory");
  const uint32_t count = *etx_register(MICROPHONE + COUNT);
  deliver(block, count);
  return count != 0;
}
