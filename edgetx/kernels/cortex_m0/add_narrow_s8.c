#include "etx_fixedpoint.h"
#include "etx_kernels.h"
#include "etx_narrow_multiplier.h"

static inline int32_t shifted(int32_t high, int32_t sign, const etx_narrow_multiplier *by) {
  return (high + ((sign >> 31) & by->sign_mask) + by->half) >> by->shift;
}

/* x * 2^20 multiplied, for x of 9 bits: neither short product needs a third. */
static inline int32_t scale_operand(int32_t x, const etx_narrow_multiplier *by) {
  const int32_t high = x * (by->mantissa >> 11), rest = x * (by->mantissa & 0x7FF);
  return shifted(high + ((rest + (1 << 10)) >> 11), x, by);
}

static void add_row(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const etx_narrow_multiplier by_a = etx_narrow_multiplier_of(p->a_mantissa, p->a_shift),
                              by_b = etx_narrow_multiplier_of(p->b_mantissa, p->b_shift);
  const etx_narrow_multiplier by = etx_narrow_multiplier_of(p->mantissa, p->shift);
  const int32_t a_offset = p->a_offset, b_offset = p->b_offset, sign = p->sign, zero_point = p->output_offset;
  const int32_t a_step = p->a_steps[3], b_step = p->b_steps[3], low = p->low, high = p->high;
  for (const int8_t *const end = y + p->dims[3]; y != end; ++y, a += a_step, b += b_step) {
    const int32_t fine_a = scale_operand(*a + a_offset, &by_a), fine_b = scale_operand(*b + b_offset, &by_b);
    const int32_t sum = fine_a + (sign < 0 ? -fine_b : fine_b);
    const int32_t scaled = shifted(etx_rounding_doubling_high_mul(sum, by.mantissa), sum, &by);
    *y = (int8_t)etx_clamp(scaled + zero_point, low, high);
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
