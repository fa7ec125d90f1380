#include "etx_kernels.h"

static int8_t requantized(const etx_fully_connected_params *p, int32_t acc, int32_t mantissa, int32_t shift) {
  const int64_t scaled = etx_multiply_once(acc, mantissa, shift);
  const int64_t low = p->low - p->output_offset;
  const int64_t high = p->high - p->output_offset;
  const int64_t clamped = scaled < low ? low : (scaled > high ? high : scaled);
  return (int8_t)(clamped + p->output_offset);
}

void etx_fully_connected_once_s8(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w,
                                 const int32_t *bias, const int32_t *mantissas, const int32_t *shifts,
                                 int8_t *y) {
  for (int32_t row = 0; row < p->rows; ++row) {
    const int8_t *w_row = w;
    for (int32_t out = 0; out < p->out_features; ++out) {
      int32_t acc = bias[out];
      for (int32_t i = 0; i < p->in_features; ++i) {
        acc += (x[i] + p->input_offset) * w_row[i];
      }
      y[out] = requantized(p, acc, mantissas[out], shifts[out]);
      w_row += p->in_features;
    }
    x += p->in_features;
    y += p->out_features;
  }
}
