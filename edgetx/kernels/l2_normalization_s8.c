#include "etx_fixedpoint_math.h"
#include "etx_kernels.h"

static void normalize_row(const etx_l2_normalization_params *p, const int8_t *x, int8_t *y) {
  int32_t squares = 0;
  for (int32_t i = 0; i < p->width; ++i) {
    const int32_t d = x[i] + p->input_offset;
    squares += d * d;
  }
  const etx_multiplier m = etx_inverse_sqrt_multiplier(squares);
  for (int32_t i = 0; i < p->width; ++i) {
    const int32_t d = x[i] + p->input_offset;
    y[i] = (int8_t)etx_requantize(d, m.mantissa, m.shift + 7, 0, INT8_MIN, INT8_MAX);
  }
}

void etx_l2_normalization_s8(const etx_l2_normalization_params *p, const int8_t *x, int8_t *y) {
  for (int32_t row = 0; row < p->rows; ++row) {
    normalize_row(p, x + row * p->width, y + row * p->width);
  }
}
