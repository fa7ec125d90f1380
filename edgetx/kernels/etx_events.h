/* Sums of the columns of a weight that spikes select, for eight outputs. */
#ifndef ETX_EVENTS_H
#define ETX_EVENTS_H

#include "etx_rescale.h"

/* w[input] holds two words of four weights, unsigned, the first in the lowest bits. Four sums of 16 bits lie in two
 * words, so that at most 257 columns can be added. */
static inline void etx_sum_columns(const int32_t *w, const uint16_t *places, int32_t count, int32_t *sums) {
  const uint32_t even_bytes = 0x00FF00FFu;
  uint32_t even_low = 0;
  uint32_t odd_low = 0;
  uint32_t even_high = 0;
  uint32_t odd_high = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t *column = w + 2 * places[i];
    const uint32_t low = (uint32_t)column[0];
    const uint32_t high = (uint32_t)column[1];
    even_low += low & even_bytes;
    odd_low += (low >> 8) & even_bytes;
    even_high += high & even_bytes;
    odd_high += (high >> 8) & even_bytes;
  }
  const uint32_t lanes[4] = {even_low, odd_low, even_high, odd_high};
  for (int32_t i = 0; i < 2; ++i) {
    sums[4 * i] = (int32_t)(lanes[2 * i] & 0xFFFFu);
    sums[4 * i + 1] = (int32_t)(lanes[2 * i + 1] & 0xFFFFu);
    sums[4 * i + 2] = (int32_t)(lanes[2 * i] >> 16);
    sums[4 * i + 3] = (int32_t)(lanes[2 * i + 1] >> 16);
  }
}

/* A sum of less than 24 bits times mantissa / 2^31, plus half of 2^shift and the zero point times 2^shift, over 2^shift:
 * the arithmetic of etx_requantize for multipliers below one half. */
static inline int32_t etx_event_result(int32_t acc, const int32_t *by) {
  const etx_rescaling rescaling = {by[0], by[1], by[2]};
  return etx_rescale(acc, &rescaling);
}

typedef struct {
  int32_t low;
  int32_t high;
} etx_event_limits;

static inline etx_event_limits etx_event_limits_of(int32_t low, int32_t high) {
  const etx_event_limits limits = {low, high};
  return limits;
}

/* Stores the first `wanted` of eight results, whose sums of weights times 64 plus `offset` are accumulators without bias.
 * `by` holds four words for each: bias, and mantissa, rounding and shift of its rescaling. */
static inline void etx_event_results(const int32_t *sums, int32_t offset, const int32_t *by,
                                     const etx_event_limits *limits, int32_t wanted, int8_t *y) {
  for (int32_t i = 0; i < wanted; ++i) {
    const int32_t result = etx_event_result(sums[i] * 64 + offset + by[4 * i], by + 4 * i + 1);
    y[i] = (int8_t)(result < limits->low ? limits->low : (result > limits->high ? limits->high : result));
  }
}

#endif
