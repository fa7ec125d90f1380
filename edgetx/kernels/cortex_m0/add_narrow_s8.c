#include "etx_dense_sum.h"

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

static inline int32_t rounded(int32_t high, int32_t sign, const etx_narrow_multiplier *by) {
  return (high + (sign >> 31) + by->half) >> by->shift;
}

static void add_dense_row(const etx_dense_sum *all, const int8_t *exact, const int8_t *scaled, int32_t size, int8_t *y) {
  const etx_dense_sum by = *all;
  const int32_t upper = by.factor.mantissa >> 11, lower = by.factor.mantissa & 0x7FF, half = 1 << 10;
  for (int32_t i = 0; i < size; ++i) {
    const int32_t x = scaled[i] + by.scaled_offset;
    const int32_t fine = rounded(x * upper + ((x * lower + half) >> 11), x, &by.factor);
    const int32_t sum = (exact[i] + by.exact_offset) * (1 << (ETX_FINE_BITS - 1)) + fine;
    const int32_t result = rounded(etx_rounding_doubling_high_mul(sum, by.result.mantissa), sum, &by.result);
    y[i] = (int8_t)etx_clamp(result, INT8_MIN, INT8_MAX);
  }
}

void etx_add_narrow_s8(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2], size = p->dims[3];
  const int32_t is_dense = etx_is_dense_sum(p), a_is_exact = etx_first_is_exact(p);
  const etx_dense_sum by = etx_dense_sum_of(p);
  for (int32_t row = 0; row < rows; ++row, y += size) {
    const int8_t *row_a = a + etx_row_start(p->dims, p->a_steps, row);
    const int8_t *row_b = b + etx_row_start(p->dims, p->b_steps, row);
    if (is_dense == 0) {
      add_row(p, row_a, row_b, y);
      continue;
    }
    add_dense_row(&by, a_is_exact != 0 ? row_a : row_b, a_is_exact != 0 ? row_b : row_a, size, y);
    etx_limit_row(p, y);
  }
}
