/* Samples between the interrupt that brings them and the loop that uses them: one writer, one reader, no locks. */
#ifndef RING_H
#define RING_H

#include <stddef.h>
#include <stdint.h>

enum { RING_SAMPLES = 2048 }; /* a power of two; 128 ms at 16 kHz */

typedef struct {
  int16_t samples[RING_SAMPLES];
  volatile uint32_t written; /* only the writer changes it */
  volatile uint32_t read;    /* only the reader changes it */
  volatile uint32_t lost;    /* samples that came while the ring was full */
} ring;

static inline void ring_write(ring *r, const int16_t *samples, size_t count) {
  uint32_t written = r->written;
  for (size_t i = 0; i < count; ++i) {
    if (written - r->read == RING_SAMPLES) {
      r->lost += (uint32_t)(count - i);
      break;
    }
    r->samples[written++ % RING_SAMPLES] = samples[i];
  }
  __asm__ volatile("" : : : "memory"); /* the samples are there before the count says so */
  r->written = written;
}

/* Takes `count` samples, or none if there are fewer; returns whether it did. */
static inline int ring_take(ring *r, int16_t *samples, size_t count) {
  const uint32_t read = r->read;
  if (r->written - read < count) {
    return 0;
  }
  for (size_t i = 0; i < count; ++i) {
    samples[i] = r->samples[(read + i) % RING_SAMPLES];
  }
  __asm__ volatile("" : : : "memory");
  r->read = read + (uint32_t)count;
  return 1;
}

#endif
