#include "etx_kernels.h"
#include "etx_root.h"

static void normalize_row(const etx_layer_norm_params *p, const int8_t *x, const int16_t *gamma,
                          const int32_t *beta, int8_t *y) {
  int32_t sum = 0;
  int32_t squares = 0;
  for (int32_t i = 0; i < p->width; ++i) {
    const int32_t d = x[i] + p->input_offset;
    sum += d;
    squares += d * d;
  }
  const int32_t total = p->center != 0 ? sum : 0;
  const int64_t v = (int64_t)p->width * squares - (int64_t)total * total;
  const etx_root root = etx_reciprocal_root_of_variance(v, p->epsilon, p->root_bits);
  const int32_t normal_shift = root.exponent - p->normal_bits;
  for (int32_t i = 0; i < p->width; ++i) {
    const int32_t c = p->width * (x[i] + p->input_offset) - total;
    const int32_t normal = etx_shift_half_up(c * root.mantissa, normal_shift);
    const int32_t scaled = etx_shift_half_up(normal * gamma[i] + beta[i], p->output_shift);
    y[i] = (int8_t)etx_clamp(scaled + p->output_offset, INT8_MIN, INT8_MAX);
  }
}

void etx_layer_norm_s8(const etx_layer_norm_params *p, const int8_t *x, const int16_t *gamma,
                       const int32_t *beta, int8_t *y) {
  for (int32_t row = 0; row < p->rows; ++row) {
    normalize_row(p, x + row * p->width, gamma, beta, y + row * p->width);
  }
}
