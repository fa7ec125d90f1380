#include "etx_kernels.h"
#include "etx_neon_output.h"

#if defined(__ARM_NEON)
/* What one operand needs to become fine. */
typedef struct {
  int16x8_t offset;
  int32x4_t left_shift, mantissa, shift;
} operand;

static inline operand prepared(int32_t offset, int32_t left_shift, int32_t mantissa, int32_t shift) {
  const operand all = {vdupq_n_s16((int16_t)offset), vdupq_n_s32(left_shift), vdupq_n_s32(mantissa),
                       vdupq_n_s32(shift)};
  return all;
}

static inline int32x4_t fine(int16x4_t x, const operand *by) {
  return etx_scale_four(vshlq_s32(vmovl_s16(x), by->left_shift), by->mantissa, by->shift);
}

static inline void fine_all(int8x16_t x, const operand *by, int32x4_t to[ETX_QUARTERS]) {
  const int16x8_t low = vaddw_s8(by->offset, vget_low_s8(x)), high = vaddw_high_s8(by->offset, x);
  to[0] = fine(vget_low_s16(low), by);
  to[1] = fine(vget_high_s16(low), by);
  to[2] = fine(vget_low_s16(high), by);
  to[3] = fine(vget_high_s16(high), by);
}

/* `step` of an operand is 1, or 0 where one value is for all. */
static inline int8x16_t load_operand(const int8_t *from, int32_t step, int32_t count) {
  return step == 0 ? vdupq_n_s8(*from) : etx_load_some(from, count);
}

static void add_row(const etx_add_params *p, const int8_t *a, const int8_t *b, int32_t count, int8_t *y) {
  const operand by_a = prepared(p->a_offset, p->left_shift, p->a_mantissa, p->a_shift);
  const operand by_b = prepared(p->b_offset, p->left_shift, p->b_mantissa, p->b_shift);
  const int32x4_t mantissa = vdupq_n_s32(p->mantissa), shift = vdupq_n_s32(p->shift);
  for (int32_t i = 0; i < count; i += ETX_STEP) {
    int32x4_t fine_a[ETX_QUARTERS], fine_b[ETX_QUARTERS];
    fine_all(load_operand(a + i * p->a_steps[3], p->a_steps[3], count - i), &by_a, fine_a);
    fine_all(load_operand(b + i * p->b_steps[3], p->b_steps[3], count - i), &by_b, fine_b);
#pragma GCC unroll 4
    for (int32_t n = 0; n < ETX_QUARTERS; ++n) {
      fine_a[n] = etx_scale_four(vmlaq_n_s32(fine_a[n], fine_b[n], p->sign), mantissa, shift);
    }
    etx_store_some(y + i, etx_narrow_all(fine_a, p->output_offset, p->low, p->high), count - i);
  }
}
#else
static int32_t fine(int32_t x, int32_t left_shift, int32_t mantissa, int32_t shift) {
  return etx_multiply_by_quantized_multiplier(x * (1 << left_shift), mantissa, shift);
}

static void add_row(const etx_add_params *p, const int8_t *a, const int8_t *b, int32_t count, int8_t *y) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t fine_a = fine(a[i * p->a_steps[3]] + p->a_offset, p->left_shift, p->a_mantissa, p->a_shift);
    const int32_t fine_b = fine(b[i * p->b_steps[3]] + p->b_offset, p->left_shift, p->b_mantissa, p->b_shift);
    const int32_t sum = fine_a + p->sign * fine_b;
    y[i] = (int8_t)etx_requantize(sum, p->mantissa, p->shift, p->output_offset, p->low, p->high);
  }
}
#endif

void etx_add_s8(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2];
  for (int32_t row = 0; row < rows; ++row) {
    const int8_t *row_a = a + etx_row_start(p->dims, p->a_steps, row);
    const int8_t *row_b = b + etx_row_start(p->dims, p->b_steps, row);
    add_row(p, row_a, row_b, p->dims[3], y + row * p->dims[3]);
  }
}
