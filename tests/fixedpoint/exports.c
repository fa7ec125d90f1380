/* The inline arithmetic of the kernels under names that Python can call. */
#include "etx_fixedpoint.h"
#include "etx_fixedpoint_math.h"
#include "etx_kernels.h"
#include "etx_root.h"

int32_t high_mul(int32_t a, int32_t b);
int32_t shift_right(int32_t x, int32_t shift);
int32_t half_up(int32_t x, int32_t shift);
int32_t multiply(int32_t x, int32_t mantissa, int32_t shift);
int32_t multiply_s64(int64_t x, int32_t mantissa, int32_t shift);
int32_t requantize(int32_t acc, int32_t mantissa, int32_t shift, int32_t zero_point, int32_t low, int32_t high);
int32_t exponential(int32_t x);
int32_t one_over_one_plus(int32_t x);
int32_t inverse_sqrt(int32_t x, int32_t *shift);
int32_t reciprocal_root(uint64_t v, int32_t bits, int32_t *exponent);

int32_t high_mul(int32_t a, int32_t b) { return etx_rounding_doubling_high_mul(a, b); }

int32_t shift_right(int32_t x, int32_t shift) { return etx_rounding_shift_right(x, shift); }

int32_t half_up(int32_t x, int32_t shift) { return etx_shift_half_up(x, shift); }

int32_t multiply(int32_t x, int32_t mantissa, int32_t shift) {
  return etx_multiply_by_quantized_multiplier(x, mantissa, shift);
}

int32_t multiply_s64(int64_t x, int32_t mantissa, int32_t shift) {
  return etx_multiply_by_quantized_multiplier_s64(x, mantissa, shift);
}

int32_t requantize(int32_t acc, int32_t mantissa, int32_t shift, int32_t zero_point, int32_t low, int32_t high) {
  return etx_requantize(acc, mantissa, shift, zero_point, low, high);
}

int32_t exponential(int32_t x) { return etx_exp_on_negative_values(x); }

int32_t one_over_one_plus(int32_t x) { return etx_one_over_one_plus(x); }

int32_t inverse_sqrt(int32_t x, int32_t *shift) {
  const etx_multiplier result = etx_inverse_sqrt_multiplier(x);
  *shift = result.shift;
  return result.mantissa;
}

int32_t reciprocal_root(uint64_t v, int32_t bits, int32_t *exponent) {
  const etx_root root = etx_reciprocal_root(v, bits);
  *exponent = root.exponent;
  return root.mantissa;
}
