#include <string.h>

#include "etx_kernels.h"

static void copy_row(const etx_strided_copy_params *p, const int8_t *x, int8_t *y) {
  for (int32_t i = 0; i < p->dims[3]; ++i) {
    if (p->run == 1) {
      y[i] = x[i * p->steps[3]];
    } else {
      memcpy(y + i * p->run, x + i * p->steps[3], (size_t)p->run);
    }
  }
}

void etx_strided_copy_s8(const etx_strided_copy_params *p, const void *x, void *y) {
  const int8_t *first = (const int8_t *)x + p->first;
  const int32_t rows = p->dims[0] * p->dims[1] * p->dims[2];
  for (int32_t row = 0; row < rows; ++row) {
    const int8_t *from = first + etx_row_start(p->dims, p->steps, row);
    copy_row(p, from, (int8_t *)y + row * p->dims[3] * p->run);
  }
}
