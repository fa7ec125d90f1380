#include "etx_pool_part.h"

/* Of one channel. */
static int32_t largest(const etx_pool_params *p, const int8_t *x, const etx_pool_part *in) {
  int32_t max = INT8_MIN;
  for (int32_t row = in->top; row < in->bottom; ++row) {
    for (int32_t column = in->left; column < in->right; ++column) {
      const int32_t value = x[(row * p->in_width + column) * p->in_channels];
      max = value > max ? value : max;
    }
  }
  return max;
}

void etx_max_pool_2d_s8(const etx_pool_params *p, const int8_t *x, int8_t *y) {
  for (int32_t i = 0; i < p->out_height; ++i) {
    for (int32_t j = 0; j < p->out_width; ++j) {
      const etx_pool_part in = etx_pool_part_of(p, i, j);
      for (int32_t c = 0; c < p->out_channels; ++c) {
        *y = (int8_t)etx_clamp(largest(p, x + c, &in), p->low, p->high);
        ++y;
      }
    }
  }
}
