#include "etx_kernels.h"

/* Maximum over the part of a window that lies in the image, for one channel. */
static int32_t window_max(const etx_pool_params *p, const int8_t *x, int32_t top, int32_t left) {
  int32_t max = INT8_MIN;
  for (int32_t row = top; row < top + p->window_height; ++row) {
    for (int32_t column = left; column < left + p->window_width; ++column) {
      if (row >= 0 && row < p->in_height && column >= 0 && column < p->in_width) {
        const int32_t value = x[(row * p->in_width + column) * p->in_channels];
        max = value > max ? value : max;
      }
    }
  }
  return max;
}

void etx_max_pool_2d_s8(const etx_pool_params *p, const int8_t *x, int8_t *y) {
  for (int32_t i = 0; i < p->out_height; ++i) {
    const int32_t top = i * p->stride_height - p->pad_top;
    for (int32_t j = 0; j < p->out_width; ++j) {
      const int32_t left = j * p->stride_width - p->pad_left;
      for (int32_t c = 0; c < p->out_channels; ++c) {
        *y = (int8_t)etx_clamp(window_max(p, x + c, top, left), p->low, p->high);
        ++y;
      }
    }
  }
}
