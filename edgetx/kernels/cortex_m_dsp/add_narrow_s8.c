#include "etx_dense_sum.h"
#include "etx_dsp.h"

#define FINE (1 << ETX_FINE_BITS)

static inline int32_t scale(int32_t doubled, etx_narrow_multiplier by) {
  return (etx_high_mac(doubled, by.mantissa, by.half) + ((doubled >> 31) & by.sign_mask)) >> by.shift;
}

static void add_row(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const etx_narrow_multiplier by_a = etx_narrow_multiplier_of(p->a_mantissa, p->a_shift),
                              by_b = etx_narrow_multiplier_of(p->b_mantissa, p->b_shift);
  const etx_narrow_multiplier by = etx_narrow_multiplier_of(p->mantissa, p->shift);
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

/* With offsets on the fine scale, doubled. */
static inline int8_t add_dense(const etx_dense_sum *by, int32_t exact, int32_t scaled) {
  const int32_t fine = scaled * (2 * FINE) + by->scaled_offset;
  const int32_t rescaled = (etx_high_mac(fine, by->factor.mantissa, by->factor.half) + (fine >> 31)) >> by->factor.shift;
  const int32_t sum = exact * FINE + by->exact_offset + 2 * rescaled;
  return (int8_t)etx_saturate_s8((etx_high_mac(sum, by->result.mantissa, by->result.half) + (sum >> 31)) >>
                                 by->result.shift);
}

static void add_dense_row(const etx_dense_sum *all, const int8_t *exact, const int8_t *scaled, int32_t size, int8_t *y) {
  etx_dense_sum by = *all; /* in registers: the compiler cannot know that y leaves it alone */
  by.exact_offset *= FINE;
  by.scaled_offset *= 2 * FINE;
  if ((size & 1) != 0) {
    *y++ = add_dense(&by, *exact++, *scaled++);
  }
  for (const int8_t *const end = y + (size & ~1); y != end; y += 2, exact += 2, scaled += 2) {
    y[0] = add_dense(&by, exact[0], scaled[0]);
    y[1] = add_dense(&by, exact[1], scaled[1]);
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
