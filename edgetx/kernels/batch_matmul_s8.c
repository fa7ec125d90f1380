#include "etx_kernels.h"

static int8_t product(const etx_batch_matmul_params *p, const int8_t *a, const int8_t *b) {
  int32_t acc = 0;
  for (int32_t k = 0; k < p->depth; ++k) {
    acc += (*a + p->a_offset) * (*b + p->b_offset);
    a += p->a_steps[2];
    b += p->b_steps[1];
  }
  return (int8_t)etx_requantize(acc, p->mantissa, p->shift, p->output_offset, p->low, p->high);
}

void etx_batch_matmul_s8(const etx_batch_matmul_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    for (int32_t row = 0; row < p->rows; ++row) {
      for (int32_t column = 0; column < p->columns; ++column) {
        *y = product(p, a + row * p->a_steps[1], b + column * p->b_steps[2]);
        ++y;
      }
    }
    a += p->a_steps[0];
    b += p->b_steps[0];
  }
}
