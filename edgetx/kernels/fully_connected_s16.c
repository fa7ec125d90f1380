#include "etx_kernels.h"
#include "etx_wide_dot.h"

void etx_fully_connected_s16(const etx_fully_connected_params *p, const int16_t *x, const int8_t *w,
                             const int64_t *bias, const int32_t *mantissas, const int32_t *shifts,
                             int16_t *y) {
  for (int32_t row = 0; row < p->rows; ++row) {
    const int8_t *w_row = w;
    for (int32_t out = 0; out < p->out_features; ++out) {
      const int64_t acc = bias[out] + etx_wide_dot(x, w_row, p->in_features);
      const int32_t scaled = etx_multiply_by_quantized_multiplier_s64(acc, mantissas[out], shifts[out]);
      y[out] = (int16_t)etx_clamp(scaled, p->low, p->high);
      w_row += p->in_features;
    }
    x += p->in_features;
    y += p->out_features;
  }
}
