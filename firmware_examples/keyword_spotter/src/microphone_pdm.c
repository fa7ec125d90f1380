/* A skeleton for a PDM microphone whose chip has a decimator (nRF PDM, STM32 DFSDM/MDF): it delivers 16-bit samples.
 *
 * To do for your board: start_decimator(), and calling microphone_pdm_on_block() from its interrupt.
 */
#include "microphone.h"

enum { BLOCK = 160 };

static microphone_sink deliver;
static volatile int has_samples;

/* To do: PDM clock of 64 * rate (1.024 MHz for 16 kHz), ratio 64, DMA into two buffers of BLOCK samples. */
static int start_decimator(uint32_t sample_rate_hz) {
  (void)sample_rate_hz;
  return 0;
}

void microphone_pdm_on_block(const int16_t *samples) {
  deliver(samples, BLOCK);
  has_samples = 1;
}

int microphone_start(uint32_t sample_rate_hz, microphone_sink sink) {
  deliver = sink;
  return start_decimator(sample_rate_hz);
}

int microphone_wait(void) {
  while (!has_samples) {
    __asm__ volatile("wfi");
  }
  has_samples = 0;
  return 1;
}
