/* Fixed-point arithmetic: the only place where rounding is written in C.
 *
 * Counterpart of edgetx/fixedpoint.py; the rules are those of TFLite's int8 specification with double
 * rounding.
 */
#ifndef ETX_FIXEDPOINT_H
#define ETX_FIXEDPOINT_H

#include <stdint.h>

#include "etx_high_mul.h"

/* x / 2^shift to nearest, ties away from zero; shift in 0..31. */
static inline int32_t etx_rounding_shift_right(int32_t x, int32_t shift) {
  const int32_t mask = (int32_t)((1u << shift) - 1u);
  const int32_t remainder = x & mask;
  const int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> shift) + (remainder > threshold ? 1 : 0);
}

/* x / 2^shift to nearest, ties upwards. */
static inline int32_t etx_shift_half_up(int32_t x, int32_t shift) {
  return shift == 0 ? x : (x + (1 << (shift - 1))) >> shift;
}

static inline int64_t etx_shift_half_up_s64(int64_t x, int32_t shift) {
  return shift == 0 ? x : (x + (1LL << (shift - 1))) >> shift;
}

/* x * mantissa * 2^(shift - 31). */
static inline int32_t etx_multiply_by_quantized_multiplier(int32_t x, int32_t mantissa, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : -shift;
  const int32_t shifted = (int32_t)((uint32_t)x << left);
  return etx_rounding_shift_right(etx_rounding_doubling_high_mul(shifted, mantissa), right);
}

/* The same for the 64-bit accumulators of int16 activations: 16-bit mantissa, one rounding, ties upwards. */
static inline int32_t etx_multiply_by_quantized_multiplier_s64(int64_t x, int32_t mantissa, int32_t shift) {
  const int32_t reduced = mantissa < 0x7FFF0000 ? (mantissa + (1 << 15)) >> 16 : 0x7FFF;
  return (int32_t)etx_shift_half_up_s64(x * reduced, 15 - shift);
}

/* The same for 32-bit accumulators with a full mantissa and one rounding, ties upwards. */
static inline int64_t etx_multiply_once(int32_t x, int32_t mantissa, int32_t shift) {
  return etx_shift_half_up_s64((int64_t)x * mantissa, 31 - shift);
}

static inline int32_t etx_clamp(int32_t x, int32_t low, int32_t high) {
  return x < low ? low : (x > high ? high : x);
}

/* From accumulator to result; clamps before it adds the zero point, so that nothing overflows. */
static inline int32_t etx_requantize(int32_t acc, int32_t mantissa, int32_t shift, int32_t zero_point,
                                     int32_t low, int32_t high) {
  const int32_t scaled = etx_multiply_by_quantized_multiplier(acc, mantissa, shift);
  return etx_clamp(scaled, low - zero_point, high - zero_point) + zero_point;
}

#endif
