#include "etx_fixedpoint_math.h"
#include "etx_kernels.h"

/* A table over all of 16 bits with straight lines between its entries. */
static int32_t looked_up(const int16_t *table, int32_t value) {
  const int32_t clamped = etx_clamp(value, INT16_MIN, INT16_MAX);
  const int16_t *entry = table + 256 + (clamped >> 7);
  return entry[0] + (((entry[1] - entry[0]) * (clamped & 127) + 64) >> 7);
}

static void softmax_row(const etx_softmax_s16_params *p, const int16_t *x, const int16_t *powers,
                        const int16_t *reciprocals, int16_t *y) {
  int32_t max = x[0];
  for (int32_t i = 1; i < p->width; ++i) {
    max = x[i] > max ? x[i] : max;
  }
  int32_t sum = 0;
  for (int32_t i = 0; i < p->width; ++i) {
    const int32_t scaled = etx_multiply_by_quantized_multiplier(x[i] - max, p->mantissa, p->shift);
    y[i] = (int16_t)looked_up(powers, scaled + INT16_MAX);
    sum += y[i];
  }
  const int32_t headroom = etx_leading_zeros((uint32_t)sum);
  const int32_t shifted = (int32_t)((((int64_t)sum << (headroom - 1)) + (1 << 13)) >> 14);
  const int64_t factor = looked_up(reciprocals, shifted - (1 << 15) - (1 << 16));
  const int32_t shift = 31 - headroom;
  for (int32_t i = 0; i < p->width; ++i) {
    const int64_t product = (y[i] * factor + ((int64_t)1 << (shift - 1))) >> shift;
    y[i] = (int16_t)(product > INT16_MAX ? INT16_MAX : product);
  }
}

void etx_softmax_s16(const etx_softmax_s16_params *p, const int16_t *x, const int16_t *powers,
                     const int16_t *reciprocals, int16_t *y) {
  for (int32_t row = 0; row < p->rows; ++row) {
    softmax_row(p, x + row * p->width, powers, reciprocals, y + row * p->width);
  }
}
