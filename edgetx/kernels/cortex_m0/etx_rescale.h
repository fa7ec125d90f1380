/* From sums of less than 24 bits to results: the arithmetic of etx_requantize for multipliers below one half,
 * without products of more than 32 bits. */
#ifndef ETX_RESCALE_H
#define ETX_RESCALE_H

#include <stdint.h>

typedef struct {
  int32_t mantissa;
  int32_t rounding; /* half of 2^shift, plus the zero point times 2^shift */
  int32_t shift;
} etx_rescaling;

/* sum * mantissa / 2^31 + part / 2^16, rounded down. */
static inline int32_t etx_high_mac(int32_t sum, int32_t mantissa, int32_t part) {
  const int32_t high = sum >> 15, low = sum & 0x7FFF;
  const int32_t upper = mantissa >> 16, lower = mantissa & 0xFFFF;
  const int32_t rest = high * lower + ((low * lower) >> 15) + part;
  return high * upper + ((low * upper + (rest >> 1)) >> 15);
}

/* Ties go away from zero, as in etx_rounding_shift_right. */
static inline int32_t etx_rescale(int32_t sum, const etx_rescaling *by) {
  return (etx_high_mac(sum, by->mantissa, 1 << 15) + (sum >> 31) + by->rounding) >> by->shift;
}

/* Rounded only once, ties upwards, as in etx_multiply_once. */
static inline int32_t etx_rescale_once(int32_t sum, const etx_rescaling *by) {
  return (etx_high_mac(sum, by->mantissa, 0) + by->rounding) >> by->shift;
}

#endif
