#include "etx_kernels.h"

static int32_t fine(int32_t x, int32_t left_shift, int32_t mantissa, int32_t shift) {
  return etx_multiply_by_quantized_multiplier(x * (1 << left_shift), mantissa, shift);
}

static void add_row(const etx_add_params *p, const int16_t *a, const int16_t *b, int16_t *y) {
  for (int32_t i = 0; i < p->dims[3]; ++i) {
    const int32_t fine_a = fine(*a + p->a_offset, p->left_shift, p->a_mantissa, p->a_shift);
    const int32_t fine_b = fine(*b + p->b_offset, p->left_shift, p->b_mantissa, p->b_shift);
    const int32_t sum = fine_a + p->sign * fine_b;
    y[i] = (int16_t)etx_requantize(sum, p->mantissa, p->shift, p->output_offset, p->low, p->high);
    a += p->a_steps[3];
    b += p->b_steps[3];
  }
}

void etx_add_s16(const etx_add_params *p, const int16_t *a, const int16_t *b, int16_t *y) {
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2];
  for (int32_t row = 0; row < rows; ++row) {
    const int16_t *row_a = a + etx_row_start(p->dims, p->a_steps, row);
    const int16_t *row_b = b + etx_row_start(p->dims, p->b_steps, row);
    add_row(p, row_a, row_b, y + row * p->dims[3]);
  }
}
