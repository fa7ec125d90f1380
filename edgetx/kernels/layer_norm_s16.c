#include "etx_kernels.h"
#include "etx_root.h"

static void normalize_row(const etx_layer_norm_params *p, const int16_t *x, const int16_t *gamma,
                          const int32_t *beta, int16_t *y) {
  int64_t sum = 0;
  int64_t squares = 0;
  for (int32_t i = 0; i < p->width; ++i) {
    sum += x[i];
    squares += x[i] * x[i];
  }
  const int64_t total = p->center != 0 ? sum : 0;
  const int64_t v = p->width * squares - total * total;
  const etx_root root = etx_reciprocal_root_of_variance(v, p->epsilon, p->root_bits);
  const int32_t shift = root.exponent - p->normal_bits;
  for (int32_t i = 0; i < p->width; ++i) {
    const int64_t product = ((int64_t)p->width * x[i] - total) * root.mantissa;
    const int32_t normal = (int32_t)etx_shift_half_up_s64(product, shift);
    const int32_t scaled = etx_shift_half_up(normal * gamma[i] + beta[i], p->output_shift);
    y[i] = (int16_t)etx_clamp(scaled + p->output_offset, INT16_MIN, INT16_MAX);
  }
}

void etx_layer_norm_s16(const etx_layer_norm_params *p, const int16_t *x, const int16_t *gamma,
                        const int32_t *beta, int16_t *y) {
  for (int32_t row = 0; row < p->rows; ++row) {
    normalize_row(p, x + row * p->width, gamma, beta, y + row * p->width);
  }
}
