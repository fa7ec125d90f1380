#include "etx_dsp.h"
#include "etx_kernels.h"
#include "etx_narrow_multiplier.h"

#define FINE_BITS 20
#define FINE (1 << FINE_BITS)

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

/* Rows of neighbours, one of which needs no rounding: it has the larger scale, so that its factor is 1/2. */
typedef struct {
  int32_t exact_offset, scaled_offset;  /* on the doubled fine scale, shifted by 20 + 1 */
  etx_narrow_multiplier factor, result; /* `half` of the result holds the zero point, too */
} dense_rows;

static int32_t is_half(int32_t mantissa, int32_t shift) { return mantissa == 1 << 30 && shift == 0; }

static dense_rows dense_rows_of(const etx_add_params *p) {
  dense_rows rows = {p->a_offset * FINE, p->b_offset * FINE * 2, {0, 0, 0, 0}, {0, 0, 0, 0}};
  int32_t mantissa = p->b_mantissa, shift = p->b_shift;
  if (!is_half(p->a_mantissa, p->a_shift)) {
    rows.exact_offset = p->b_offset * FINE;
    rows.scaled_offset = p->a_offset * FINE * 2;
    mantissa = p->a_mantissa;
    shift = p->a_shift;
  }
  /* 1/2 as a factor that does round: operands have few enough bits for it to have no effect */
  rows.factor = is_half(mantissa, shift) ? etx_narrow_multiplier_of(INT32_MAX, -1) : etx_narrow_multiplier_of(mantissa, shift);
  rows.result = etx_narrow_multiplier_of(p->mantissa, p->shift);
  rows.result.half += p->output_offset * (1 << rows.result.shift);
  return rows;
}

static int32_t is_dense(const etx_add_params *p) {
  const int32_t a_is_half = is_half(p->a_mantissa, p->a_shift), b_is_half = is_half(p->b_mantissa, p->b_shift);
  const int32_t rounds = (a_is_half != 0 || p->a_shift < 0) && (b_is_half != 0 || p->b_shift < 0);
  return (a_is_half != 0 || b_is_half != 0) && rounds && p->left_shift == FINE_BITS && p->sign == 1 &&
         p->shift < 0 && p->shift >= -22 && p->a_steps[3] == 1 && p->b_steps[3] == 1;
}

static inline int8_t add_dense(const dense_rows *rows, int32_t exact, int32_t scaled) {
  const int32_t fine = scaled * (2 * FINE) + rows->scaled_offset;
  const int32_t rescaled =
      (etx_high_mac(fine, rows->factor.mantissa, rows->factor.half) + (fine >> 31)) >> rows->factor.shift;
  const int32_t sum = exact * FINE + rows->exact_offset + 2 * rescaled;
  return (int8_t)etx_saturate_s8((etx_high_mac(sum, rows->result.mantissa, rows->result.half) + (sum >> 31)) >>
                                 rows->result.shift);
}

static void add_dense_row(const dense_rows *all, const int8_t *exact, const int8_t *scaled, int32_t size, int8_t *y) {
  const dense_rows rows = *all; /* in registers: the compiler cannot know that y leaves it alone */
  if ((size & 1) != 0) {
    *y++ = add_dense(&rows, *exact++, *scaled++);
  }
  for (const int8_t *const end = y + (size & ~1); y != end; y += 2, exact += 2, scaled += 2) {
    y[0] = add_dense(&rows, exact[0], scaled[0]);
    y[1] = add_dense(&rows, exact[1], scaled[1]);
  }
}

static void limit(const etx_add_params *p, int8_t *y) {
  for (int32_t left = p->dims[3]; left > 0; --left, ++y) {
    *y = (int8_t)etx_clamp(*y, p->low, p->high);
  }
}

void etx_add_narrow_s8(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2], size = p->dims[3];
  const int32_t dense = is_dense(p), a_is_exact = is_half(p->a_mantissa, p->a_shift);
  const int32_t limited = p->low != INT8_MIN || p->high != INT8_MAX;
  const dense_rows factors = dense_rows_of(p);
  for (int32_t row = 0; row < rows; ++row, y += size) {
    const int8_t *row_a = a + etx_row_start(p->dims, p->a_steps, row);
    const int8_t *row_b = b + etx_row_start(p->dims, p->b_steps, row);
    if (dense == 0) {
      add_row(p, row_a, row_b, y);
      continue;
    }
    add_dense_row(&factors, a_is_exact != 0 ? row_a : row_b, a_is_exact != 0 ? row_b : row_a, size, y);
    if (limited != 0) {
      limit(p, y);
    }
  }
}
