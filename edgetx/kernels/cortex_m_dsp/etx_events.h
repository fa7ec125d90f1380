/* Sums of the columns of a weight that spikes select, for eight outputs: two weights are extended and added at once. */
#ifndef ETX_EVENTS_H
#define ETX_EVENTS_H

#include "etx_rescale.h"

#if defined(__ARM_FEATURE_DSP)
static inline uint32_t etx_add_even(uint32_t sums, uint32_t word) {
  __asm__("uxtab16 %0, %0, %1" : "+r"(sums) : "r"(word));
  return sums;
}
static inline uint32_t etx_add_odd(uint32_t sums, uint32_t word) {
  __asm__("uxtab16 %0, %0, %1, ror #8" : "+r"(sums) : "r"(word));
  return sums;
}
#else
static inline uint32_t etx_add_even(uint32_t sums, uint32_t word) { return sums + (word & 0x00FF00FFu); }
static inline uint32_t etx_add_odd(uint32_t sums, uint32_t word) { return sums + ((word >> 8) & 0x00FF00FFu); }
#endif

/* w[input] holds two words of four weights, unsigned, the first in the lowest bits. Four sums of 16 bits lie in two
 * words, so that at most 257 columns can be added. */
static inline void etx_sum_columns(const int32_t *w, const uint16_t *places, int32_t count, int32_t *sums) {
  uint32_t even_low = 0;
  uint32_t odd_low = 0;
  uint32_t even_high = 0;
  uint32_t odd_high = 0;
#pragma GCC unroll 4
  for (int32_t i = 0; i < count; ++i) {
    const int32_t *column = w + 2 * places[i];
    const uint32_t low = (uint32_t)column[0];
    const uint32_t high = (uint32_t)column[1];
    even_low = etx_add_even(even_low, low);
    odd_low = etx_add_odd(odd_low, low);
    even_high = etx_add_even(even_high, high);
    odd_high = etx_add_odd(odd_high, high);
  }
  const uint32_t lanes[4] = {even_low, odd_low, even_high, odd_high};
  for (int32_t i = 0; i < 2; ++i) {
    sums[4 * i] = (int32_t)(lanes[2 * i] & 0xFFFFu);
    sums[4 * i + 1] = (int32_t)(lanes[2 * i + 1] & 0xFFFFu);
    sums[4 * i + 2] = (int32_t)(lanes[2 * i] >> 16);
    sums[4 * i + 3] = (int32_t)(lanes[2 * i + 1] >> 16);
  }
}

typedef etx_limits etx_event_limits;

static inline etx_event_limits etx_event_limits_of(int32_t low, int32_t high) {
  return etx_limits_of(low, high);
}

/* A doubled sum of less than 25 bits times mantissa / 2^32, plus half of 2^shift and the zero point times 2^shift, over
 * 2^shift: the arithmetic of etx_requantize for multipliers below one half. */
static inline int32_t etx_event_result(int32_t sum, int32_t offset, const int32_t *by) {
  const etx_rescaling rescaling = {by[1], by[2], by[3]};
  return etx_rescale_doubled(2 * (sum * 64 + offset + by[0]), &rescaling);
}

/* Stores the first `wanted` of eight results, whose sums of weights times 64 plus `offset` are accumulators without bias.
 * `by` holds four words for each: bias, and mantissa, rounding and shift of its rescaling. */
static inline void etx_event_results(const int32_t *sums, int32_t offset, const int32_t *by,
                                     const etx_event_limits *limits, int32_t wanted, int8_t *y) {
  for (int32_t i = 0; i < wanted; i += 4) {
    const int32_t first = etx_event_result(sums[i], offset, by + 4 * i);
    const int32_t second = etx_event_result(sums[i + 1], offset, by + 4 * i + 4);
    const int32_t third = etx_event_result(sums[i + 2], offset, by + 4 * i + 8);
    const int32_t fourth = etx_event_result(sums[i + 3], offset, by + 4 * i + 12);
    etx_store_results(y + i, etx_pack_s8x4(first, second, third, fourth), wanted - i, *limits);
  }
}

#endif
