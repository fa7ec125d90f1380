#include "etx_fixedpoint.h"
#include "etx_kernels.h"
#include "etx_rescale.h"

static void mul_row(const etx_mul_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const int32_t right = -p->shift;
  const etx_rescaling by = {p->mantissa, (1 << right >> 1) + p->output_offset * (1 << right), right};
  const int32_t a_offset = p->a_offset, b_offset = p->b_offset, a_step = p->a_steps[3], b_step = p->b_steps[3];
  const int32_t low = p->low, high = p->high;
  for (const int8_t *const end = y + p->dims[3]; y != end; ++y, a += a_step, b += b_step) {
    *y = (int8_t)etx_clamp(etx_rescale((*a + a_offset) * (*b + b_offset), &by), low, high);
  }
}

void etx_mul_narrow_s8(const etx_mul_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2];
  for (int32_t row = 0; row < rows; ++row) {
    const int8_t *row_a = a + etx_row_start(p->dims, p->a_steps, row);
    const int8_t *row_b = b + etx_row_start(p->dims, p->b_steps, row);
    mul_row(p, row_a, row_b, y + row * p->dims[3]);
  }
}
