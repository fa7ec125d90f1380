#include "etx_kernels.h"
#include "etx_root.h"

static inline int32_t half(int32_t shift) { return shift == 0 ? 0 : 1 << (shift - 1); }

static void normalize_row(const etx_layer_norm_params *p, const int8_t *x, const int16_t *gamma,
                          const int32_t *beta, int8_t *y) {
  const int32_t width = p->width, input_offset = p->input_offset, output_offset = p->output_offset;
  const int32_t output_shift = p->output_shift, output_half = half(output_shift);
  int32_t sum = 0;
  int32_t squares = 0;
  for (int32_t i = 0; i < width; ++i) {
    const int32_t d = x[i] + input_offset;
    sum += d;
    squares += d * d;
  }
  const int32_t total = p->center != 0 ? sum : 0;
  const int64_t v = (int64_t)width * squares - (int64_t)total * total;
  const etx_root root = etx_reciprocal_root_of_variance(v, p->epsilon, p->root_bits);
  const int32_t normal_shift = root.exponent - p->normal_bits, normal_half = half(normal_shift);
  const int32_t start = width * input_offset - total;
  for (int32_t i = 0; i < width; ++i) {
    const int32_t normal = ((width * x[i] + start) * root.mantissa + normal_half) >> normal_shift;
    const int32_t scaled = (normal * gamma[i] + beta[i] + output_half) >> output_shift;
    y[i] = (int8_t)etx_clamp(scaled + output_offset, INT8_MIN, INT8_MAX);
  }
}

void etx_layer_norm_s8(const etx_layer_norm_params *p, const int8_t *x, const int16_t *gamma,
                       const int32_t *beta, int8_t *y) {
  const etx_layer_norm_params here = *p; /* next to the stack rather than in flash */
  for (int32_t row = 0; row < here.rows; ++row) {
    normalize_row(&here, x + row * here.width, gamma, beta, y + row * here.width);
  }
}
