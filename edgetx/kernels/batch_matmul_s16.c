#include "etx_kernels.h"

static int16_t product(const etx_batch_matmul_params *p, const int16_t *a, const int16_t *b) {
  int64_t acc = 0;
  for (int32_t k = 0; k < p->depth; ++k) {
    acc += *a * *b;
    a += p->a_steps[2];
    b += p->b_steps[1];
  }
  return (int16_t)etx_clamp(etx_multiply_by_quantized_multiplier_s64(acc, p->mantissa, p->shift), p->low,
                            p->high);
}

void etx_batch_matmul_s16(const etx_batch_matmul_params *p, const int16_t *a, const int16_t *b, int16_t *y) {
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
