#include <string.h>

#include "etx_kernels.h"

/* Start of row `row` of y in x, or -1 if it lies outside. */
static int32_t source(const etx_pad_params *p, int32_t row) {
  const int32_t outer = row / p->out_dims[2];
  const int32_t k = row % p->out_dims[2] - p->before[2];
  const int32_t j = outer % p->out_dims[1] - p->before[1];
  const int32_t i = outer / p->out_dims[1] - p->before[0];
  const int32_t *dims = p->in_dims;
  if (i < 0 || i >= dims[0] || j < 0 || j >= dims[1] || k < 0 || k >= dims[2]) {
    return -1;
  }
  return ((i * dims[1] + j) * dims[2] + k) * dims[3];
}

static int16_t *fill(int16_t *to, int32_t value, int32_t count) {
  for (const int16_t *const end = to + count; to != end; ++to) {
    *to = (int16_t)value;
  }
  return to;
}

void etx_pad_s16(const etx_pad_params *p, const int16_t *x, int16_t *y) {
  const int32_t rows = p->out_dims[0] * p->out_dims[1] * p->out_dims[2], size = p->in_dims[3];
  for (int32_t row = 0; row < rows; ++row) {
    const int32_t start = source(p, row);
    if (start < 0) {
      y = fill(y, p->value, p->out_dims[3]);
      continue;
    }
    y = fill(y, p->value, p->before[3]);
    memcpy(y, x + start, (size_t)size * sizeof *y);
    y = fill(y + size, p->value, p->out_dims[3] - p->before[3] - size);
  }
}
