#include "etx_dsp.h"
#include "etx_kernels.h"

/* Multiplication by mantissa * 2^(-shift - 31), rounded as in etx_multiply_by_quantized_multiplier. */
typedef struct {
  int32_t mantissa;
  int32_t half;
  int32_t sign_mask; /* ties go away from zero, where anything is shifted out */
  int32_t shift;
} multiplier;

static multiplier make_multiplier(int32_t mantissa, int32_t shift) {
  const multiplier result = {mantissa, shift < 0 ? 1 << (-shift - 1) : 0, shift < 0 ? -1 : 0, -shift};
  return result;
}

static inline int32_t scale(int32_t doubled, multiplier by) {
  return (etx_high_mac(doubled, by.mantissa, by.half) + ((doubled >> 31) & by.sign_mask)) >> by.shift;
}

static void add_row(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const multiplier by_a = make_multiplier(p->a_mantissa, p->a_shift),
                   by_b = make_multiplier(p->b_mantissa, p->b_shift);
  const multiplier by = make_multiplier(p->mantissa, p->shift);
  const int32_t unit = 2 << p->left_shift, sign = p->sign, zero_point = p->output_offset;
  const int32_t a_offset = p->a_offset * unit, b_offset = p->b_offset * unit;
  const int32_t a_step = p->a_steps[3], b_step = p->b_steps[3], low = p->low, high = p->high;
  for (const int8_t *const end = y + p->dims[3]; y != end; ++y) {
    const int32_t sum = scale(*a * unit + a_offset, by_a) + sign * scale(*b * unit + b_offset, by_b);
    *y = (int8_t)etx_clamp(scale(2 * sum, by) + zero_point, low, high);
    a += a_step;
    b += b_step;
  }
}

void etx_add_narrow_s8(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2];
  for (int32_t row = 0; row < rows; ++row) {
    const int8_t *row_a = a + etx_row_start(p->dims, p->a_steps, row);
    const int8_t *row_b = b + etx_row_start(p->dims, p->b_steps, row);
    add_row(p, row_a, row_b, y + row * p->dims[3]);
  }
}
