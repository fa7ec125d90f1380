#include "etx_kernels.h"

void etx_fully_connected_s8(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w,
                            const int32_t *bias, const int32_t *mantissas, const int32_t *shifts, int8_t *y) {
  for (int32_t row = 0; row < p->rows; ++row) {
    const int8_t *w_row = w;
    for (int32_t out = 0; out < p->out_features; ++out) {
      int32_t acc = bias[out];
      for (int32_t i = 0; i < p->in_features; ++i) {
        acc += (x[i] + p->input_offset) * w_row[i];
      }
      y[out] = (int8_t)etx_requantize(acc, mantissas[out], shifts[out], p->output_offset, p->low, p->high);
      w_row += p->in_features;
    }
    x += p->in_features;
    y += p->out_features;
  }
}
