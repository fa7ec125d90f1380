#ifndef ETX_NARROW_MULTIPLIER_H
#define ETX_NARROW_MULTIPLIER_H

#include <stdint.h>

/* Multiplication by mantissa * 2^(-shift - 31), rounded as in etx_multiply_by_quantized_multiplier,
 * for shifts to the right. */
typedef struct {
  int32_t mantissa;
  int32_t half;
  int32_t sign_mask; /* ties go away from zero, where anything is shifted out */
  int32_t shift;
} etx_narrow_multiplier;

static inline etx_narrow_multiplier etx_narrow_multiplier_of(int32_t mantissa, int32_t shift) {
  const etx_narrow_multiplier result = {mantissa, shift < 0 ? 1 << (-shift - 1) : 0, shift < 0 ? -1 : 0, -shift};
  return result;
}

#endif
