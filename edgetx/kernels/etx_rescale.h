/* From sums of less than 24 bits to results: the arithmetic of etx_requantize for multipliers below one half. */
#ifndef ETX_RESCALE_H
#define ETX_RESCALE_H

#include <stdint.h>

typedef struct {
  int32_t mantissa;
  int32_t rounding; /* half of 2^shift, plus the zero point times 2^shift */
  int32_t shift;
} etx_rescaling;

/* Ties go away from zero, as in etx_rounding_shift_right. */
static inline int32_t etx_rescale(int32_t sum, const etx_rescaling *by) {
  const int32_t scaled = (int32_t)(((int64_t)sum * by->mantissa + (1LL << 30)) >> 31);
  return (scaled + (sum >> 31) + by->rounding) >> by->shift;
}

#endif
