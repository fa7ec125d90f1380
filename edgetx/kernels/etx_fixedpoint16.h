/* Sigmoid and hyperbolic tangent in 16 bits; counterpart of edgetx/fixedpoint16.py, where the formats are
 * explained. */
#ifndef ETX_FIXEDPOINT16_H
#define ETX_FIXEDPOINT16_H

#include <stdint.h>

#include "etx_fixedpoint.h"

static inline int32_t etx_high_mul16(int32_t a, int32_t b) {
  const int32_t product = etx_shift_half_up(a * b, 15);
  return product > INT16_MAX ? INT16_MAX : product;
}

static inline int32_t etx_saturating_shift_left16(int32_t x, int32_t shift) {
  return etx_clamp(x * (1 << shift), INT16_MIN, INT16_MAX);
}

/* exp(x) for x in [-1/4, 0), both without integer bits. */
static inline int32_t etx_exp_in_quarter16(int32_t x) {
  const int32_t exp_of_minus_eighth = 28918;
  const int32_t one_third = 10923;
  const int32_t d = x + (1 << 12);
  const int32_t d2 = etx_high_mul16(d, d);
  const int32_t d3 = etx_high_mul16(d2, d);
  const int32_t d4 = etx_high_mul16(d2, d2);
  const int32_t cubic = etx_high_mul16(etx_rounding_shift_right(d4, 2) + d3, one_third);
  const int32_t tail = etx_rounding_shift_right(cubic + d2, 1);
  return exp_of_minus_eighth + etx_high_mul16(exp_of_minus_eighth, d + tail);
}

/* exp(x) without integer bits, for x <= 0. */
static inline int32_t etx_exp_on_negative_values16(int32_t x, int32_t integer_bits) {
  static const int32_t powers[7] = {25520, 19875, 12055, 4435, 600, 11, 0};
  const int32_t quarter_bits = 13 - integer_bits;
  const int32_t quarter = 1 << quarter_bits;
  const int32_t in_quarter = (x & (quarter - 1)) - quarter;
  const int32_t remainder = in_quarter - x;
  int32_t result = etx_exp_in_quarter16(etx_saturating_shift_left16(in_quarter, integer_bits));
  for (int32_t i = 0; i < integer_bits + 2; ++i) {
    if (((remainder >> (quarter_bits + i)) & 1) != 0) {
      result = etx_high_mul16(result, powers[i]);
    }
  }
  return x == 0 ? INT16_MAX : result;
}

/* 2 / (1 + x) with 2 integer bits, for x in [0, 1] without; three Newton-Raphson steps. */
static inline int32_t etx_reciprocal_of_half_one_plus16(int32_t x) {
  const int32_t half = (x + INT16_MAX + 1) >> 1;
  int32_t y = 23130 + etx_high_mul16(half, -15420);
  for (int32_t step = 0; step < 3; ++step) {
    y += etx_saturating_shift_left16(etx_high_mul16(y, (1 << 13) - etx_high_mul16(half, y)), 2);
  }
  return y;
}

/* 1 / (1 + exp(-x)) without integer bits. */
static inline int32_t etx_logistic16(int32_t x, int32_t integer_bits) {
  if (x == 0) {
    return 1 << 14;
  }
  const int32_t exponential = etx_exp_on_negative_values16(x < 0 ? x : -x, integer_bits);
  const int32_t positive = etx_saturating_shift_left16(etx_reciprocal_of_half_one_plus16(exponential), 1);
  return x > 0 ? positive : INT16_MAX - positive;
}

/* Hyperbolic tangent without integer bits. */
static inline int32_t etx_tanh16(int32_t x, int32_t integer_bits) {
  if (x == 0) {
    return 0;
  }
  const int32_t exponential = etx_exp_on_negative_values16(x < 0 ? x : -x, integer_bits + 1);
  const int32_t reciprocal = etx_reciprocal_of_half_one_plus16(exponential);
  const int32_t magnitude = etx_saturating_shift_left16(reciprocal - (1 << 13), 2);
  return x < 0 ? -magnitude : magnitude;
}

#endif
