#include "etx_kernels.h"

static void maximum_row(const etx_extreme_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  for (int32_t i = 0; i < p->dims[3]; ++i) {
    y[i] = *a > *b ? *a : *b;
    a += p->a_steps[3];
    b += p->b_steps[3];
  }
}

void etx_maximum_s8(const etx_extreme_params *p, const int8_t *a, const int8_t *b, int8_t *y) {
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2];
  for (int32_t row = 0; row < rows; ++row) {
    const int8_t *row_a = a + etx_row_start(p->dims, p->a_steps, row);
    const int8_t *row_b = b + etx_row_start(p->dims, p->b_steps, row);
    maximum_row(p, row_a, row_b, y + row * p->dims[3]);
  }
}
