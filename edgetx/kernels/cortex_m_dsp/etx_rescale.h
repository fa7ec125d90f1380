/* From sums to results: the arithmetic of etx_requantize for multipliers below one half, on doubled sums. */
#ifndef ETX_RESCALE_H
#define ETX_RESCALE_H

#include "etx_dsp.h"

typedef struct {
  int32_t mantissa;
  int32_t rounding; /* half of 2^shift, plus the zero point times 2^shift */
  int32_t shift;
} etx_rescaling;

/* Limits of results, four times each, if they are any narrower than int8. */
typedef struct {
  int32_t low;
  int32_t high;
  int32_t any;
} etx_limits;

static inline etx_limits etx_limits_of(int32_t low, int32_t high) {
  const etx_limits limits = {etx_repeat_s8(low), etx_repeat_s8(high), low != INT8_MIN || high != INT8_MAX};
  return limits;
}

/* Stores four results, or as many as are left. */
static inline void etx_store_results(int8_t *y, int32_t results, int32_t left, etx_limits limits) {
  if (limits.any) {
    results = etx_min_s8x4(etx_max_s8x4(results, limits.low), limits.high);
  }
  if (left >= 4) {
    etx_store_s8x4(y, results);
  } else {
    etx_store_bytes(y, results, left);
  }
}

/* Ties go away from zero, as in etx_rounding_shift_right. */
static inline __attribute__((always_inline)) int32_t etx_rescale_doubled(int32_t doubled, const etx_rescaling *by) {
  return etx_saturate_s8((etx_high_mac(doubled, by->mantissa, by->rounding) + (doubled >> 31)) >> by->shift);
}

/* The same of a sum that is not doubled; not saturated. */
static inline int32_t etx_rescale(int32_t sum, const etx_rescaling *by) {
  return (etx_high_mac(2 * sum, by->mantissa, by->rounding) + (sum >> 31)) >> by->shift;
}

/* Rounded only once, ties upwards, as in etx_multiply_once. */
static inline __attribute__((always_inline)) int32_t etx_rescale_doubled_once(int32_t doubled, const etx_rescaling *by) {
  return etx_saturate_s8(etx_high_mac_down(doubled, by->mantissa, by->rounding) >> by->shift);
}

#endif
