/* A skeleton for a microphone on I2S (INMP441, SPH0645, ICS-43434): 24 bits in a 32-bit slot, left channel.
 *
 * To do for your board: the three functions marked so. Clock: rate * 64 on SCK, rate on WS.
 */
#include "microphone.h"

enum { BLOCK = 160, GAIN_SHIFT = 14 }; /* 24 bits at the top of a word, 12 dB above their 16-bit form */

static microphone_sink deliver;
static volatile int has_samples;

/* To do: start I2S as master receiver with DMA into two halves of a buffer of 2 * 2 * BLOCK words, circular. */
static int start_dma(uint32_t sample_rate_hz) {
  (void)sample_rate_hz;
  return 0;
}

/* To do: call this from the half-complete and complete interrupts of the DMA, with the half that is full. */
void microphone_i2s_on_block(const int32_t *words) {
  int16_t samples[BLOCK];
  for (int i = 0; i < BLOCK; ++i) {
    const int32_t value = words[2 * i] >> GAIN_SHIFT;
    samples[i] = (int16_t)(value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : value);
  }
  deliver(samples, BLOCK);
  has_samples = 1;
}

int microphone_start(uint32_t sample_rate_hz, microphone_sink sink) {
  deliver = sink;
  return start_dma(sample_rate_hz);
}

int microphone_wait(void) {
  while (!has_samples) {
    __asm__ volatile("wfi"); /* to do: on chips whose sleep stops the I2S clock, choose the lighter sleep mode */
  }
  has_samples = 0;
  return 1;
}
