#include "etx_dsp.h"
#include "etx_pool_part.h"

/* Of four channels, or as many as are left. */
static inline __attribute__((always_inline)) int32_t largest(const etx_pool_params *p, const int8_t *x,
                                                             const etx_pool_part *in, int32_t left) {
  int32_t max = etx_repeat_s8(p->low);
  for (int32_t row = in->top; row < in->bottom; ++row) {
    const int8_t *pixel = x + (row * p->in_width + in->left) * p->in_channels;
    for (int32_t columns = in->right - in->left; columns > 0; --columns, pixel += p->in_channels) {
      max = etx_max_s8x4(max, etx_load_bytes(pixel, left));
    }
  }
  return etx_min_s8x4(max, etx_repeat_s8(p->high));
}

void etx_max_pool_2d_s8(const etx_pool_params *p, const int8_t *x, int8_t *y) {
  const int32_t channels = p->in_channels, whole = channels & ~3;
  for (int32_t i = 0; i < p->out_height; ++i) {
    for (int32_t j = 0; j < p->out_width; ++j, y += channels) {
      const etx_pool_part in = etx_pool_part_of(p, i, j);
      for (int32_t c = 0; c < whole; c += 4) {
        etx_store_s8x4(y + c, largest(p, x + c, &in, 4));
      }
      if (whole != channels) {
        etx_store_bytes(y + whole, largest(p, x + whole, &in, channels - whole), channels - whole);
      }
    }
  }
}
