#include "etx_fixedpoint_math.h"
#include "etx_kernels.h"

/* exp of a difference from the row's maximum, without integer bits. */
static int32_t power(const etx_softmax_params *p, int32_t difference) {
  if (difference < p->least_difference) {
    return 0;
  }
  const int32_t shifted = difference * (1 << p->shift);
  return etx_exp_on_negative_values(etx_rounding_doubling_high_mul(shifted, p->mantissa));
}

static void softmax_row(const etx_softmax_params *p, const int8_t *x, int8_t *y) {
  int32_t max = x[0];
  for (int32_t i = 1; i < p->width; ++i) {
    max = x[i] > max ? x[i] : max;
  }
  int32_t sum = 0;
  for (int32_t i = 0; i < p->width; ++i) {
    sum += etx_rounding_shift_right(power(p, x[i] - max), 12);
  }
  const int32_t headroom = etx_leading_zeros((uint32_t)sum);
  const int32_t shift = 12 - headroom + 31 - 8;
  const int32_t reciprocal = /* results are 0 where long rows shift everything out */
      shift > 31 ? 0 : etx_one_over_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
  for (int32_t i = 0; i < p->width; ++i) {
    const int32_t product = etx_rounding_doubling_high_mul(reciprocal, power(p, x[i] - max));
    y[i] = (int8_t)etx_clamp(etx_rounding_shift_right(product, shift & 31) + INT8_MIN, INT8_MIN, INT8_MAX);
  }
}

void etx_softmax_s8(const etx_softmax_params *p, const int8_t *x, int8_t *y) {
  for (int32_t row = 0; row < p->rows; ++row) {
    softmax_row(p, x + row * p->width, y + row * p->width);
  }
}
