/* Functions in fixed point; counterpart of edgetx/fixedpoint_math.py, where the formats are explained. */
#ifndef ETX_FIXEDPOINT_MATH_H
#define ETX_FIXEDPOINT_MATH_H

#include <stdint.h>

#include "etx_fixedpoint.h"

/* Bits above the highest one of x. */
static inline int32_t etx_leading_zeros(uint32_t x) {
  int32_t zeros = 32;
  for (; x >> 8 != 0u; x >>= 8) {
    zeros -= 8;
  }
  for (; x != 0u; x >>= 1) {
    zeros -= 1;
  }
  return zeros;
}

static inline int32_t etx_saturating_shift_left(int32_t x, int32_t shift) {
  const int64_t shifted = (int64_t)x * (1LL << shift);
  return shifted > INT32_MAX ? INT32_MAX : (shifted < INT32_MIN ? INT32_MIN : (int32_t)shifted);
}

/* exp(x) for x in [-1/4, 0), both without integer bits. */
static inline int32_t etx_exp_in_quarter(int32_t x) {
  const int32_t exp_of_minus_eighth = 1895147668;
  const int32_t one_third = 715827883;
  const int32_t d = x + (1 << 28);
  const int32_t d2 = etx_rounding_doubling_high_mul(d, d);
  const int32_t d3 = etx_rounding_doubling_high_mul(d2, d);
  const int32_t d4 = etx_rounding_doubling_high_mul(d2, d2);
  const int32_t cubic = etx_rounding_doubling_high_mul(etx_rounding_shift_right(d4, 2) + d3, one_third);
  const int32_t tail = etx_rounding_shift_right(cubic + d2, 1);
  return exp_of_minus_eighth + etx_rounding_doubling_high_mul(exp_of_minus_eighth, d + tail);
}

/* exp(x) without integer bits, for x <= 0 with 5. */
static inline int32_t etx_exp_on_negative_values(int32_t x) {
  static const int32_t powers[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t quarter = 1 << 24;
  const int32_t in_quarter = (x & (quarter - 1)) - quarter;
  const int32_t remainder = in_quarter - x;
  int32_t result = etx_exp_in_quarter(etx_saturating_shift_left(in_quarter, 5));
  for (int32_t i = 0; i < 7; ++i) {
    if (((remainder >> (24 + i)) & 1) != 0) {
      result = etx_rounding_doubling_high_mul(result, powers[i]);
    }
  }
  return x == 0 ? INT32_MAX : result;
}

/* 1 / (1 + x) for x in [0, 1], both without integer bits; three Newton-Raphson steps. */
static inline int32_t etx_one_over_one_plus(int32_t x) {
  const int32_t half = (int32_t)(((uint32_t)x + 0x80000000u) >> 1);
  int32_t y = 1515870810 + etx_rounding_doubling_high_mul(half, -1010580540);
  for (int32_t step = 0; step < 3; ++step) {
    const int32_t error = (1 << 29) - etx_rounding_doubling_high_mul(half, y);
    y += etx_saturating_shift_left(etx_rounding_doubling_high_mul(y, error), 2);
  }
  return etx_saturating_shift_left(y, 1);
}

typedef struct {
  int32_t mantissa;
  int32_t shift;
} etx_multiplier;

/* 1 / sqrt(x) for x >= 0; five Newton-Raphson steps. */
static inline etx_multiplier etx_inverse_sqrt_multiplier(int32_t x) {
  etx_multiplier result = {INT32_MAX, 0};
  if (x <= 1) {
    return result;
  }
  int32_t right = 11;
  for (; x >= 1 << 29; x /= 4) {
    ++right;
  }
  const int32_t pairs = (etx_leading_zeros((uint32_t)x) - 1) / 2 - 1;
  right -= pairs;
  const int32_t input = (x << (2 * pairs)) >> 1;
  const int32_t half = etx_rounding_shift_right(input, 1);
  int32_t y = 1 << 28;
  for (int32_t step = 0; step < 5; ++step) {
    const int32_t square = etx_rounding_doubling_high_mul(y, y);
    const int32_t cube = etx_saturating_shift_left(etx_rounding_doubling_high_mul(square, y), 6);
    const int32_t next =
        etx_rounding_doubling_high_mul(3 << 27, y) - etx_rounding_doubling_high_mul(half, cube);
    y = etx_saturating_shift_left(next, 3);
  }
  y = etx_rounding_doubling_high_mul(y, 1518500250);
  result.mantissa = right < 0 ? y << -right : y;
  result.shift = right < 0 ? 0 : -right;
  return result;
}

#endif
