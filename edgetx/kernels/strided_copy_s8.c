#include <string.h>

#include "etx_kernels.h"

static void copy_row(const etx_strided_copy_params *p, const int8_t *x, int8_t *y) {
  if (p->steps[3] == 1) {
    memcpy(y, x, (size_t)p->dims[3]);
    return;
  }
  for (int32_t i = 0; i < p->dims[3]; ++i) {
    y[i] = x[i * p->steps[3]];
  }
}

void etx_strided_copy_s8(const etx_strided_copy_params *p, const void *x, void *y) {
  const int8_t *first = (const int8_t *)x + p->first;
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2];
  for (int32_t row = 0; row < rows; ++row) {
    copy_row(p, first + etx_row_start(p->dims, p->steps, row), (int8_t *)y + row * p->dims[3]);
  }
}
