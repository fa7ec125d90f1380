#include "etx_wide_matmul.h"

/* A row where it lies, or filled up to fours. */
static const int16_t *whole_row(const int16_t *row, int32_t size, int32_t inputs, int16_t *copy) {
  if (size == inputs) {
    return row;
  }
  __builtin_memcpy(copy, row, 2 * (uint32_t)size);
  for (int32_t i = size; i < inputs; ++i) {
    copy[i] = 0;
  }
  return copy;
}

void etx_fully_connected_packed_s16(const etx_fully_connected_params *p, const int16_t *x, const int32_t *packed,
                                    const int64_t *bias, const int32_t *mantissas, const int32_t *shifts, int16_t *y,
                                    int32_t *scratch) {
  int16_t *const rows = (int16_t *)scratch;
  const int32_t size = p->in_features, inputs = (size + 3) & ~3, outputs = p->out_features;
  const etx_wide_layer layer = {packed, bias, mantissas, shifts, inputs, outputs, p->low, p->high};
  for (int32_t left = p->rows; left > 0; left -= 2, x += 2 * size, y += 2 * outputs) {
    const int32_t next = left > 1 ? 1 : 0; /* of an odd number of rows the last is its own neighbour */
    const int16_t *const row = whole_row(x, size, inputs, rows);
    const int16_t *const below = whole_row(x + next * size, size, inputs, rows + inputs);
    etx_multiply_wide_rows(&layer, row, below, y, y + next * outputs);
  }
}
