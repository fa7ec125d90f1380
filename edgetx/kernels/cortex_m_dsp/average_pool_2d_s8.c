#include "etx_dsp.h"
#include "etx_pool_part.h"

static int32_t mean(const etx_pool_params *p, int32_t sum, int32_t count) {
  return etx_clamp((sum > 0 ? sum + count / 2 : sum - count / 2) / count, p->low, p->high);
}

/* Means of four channels, or as many as are left. */
static inline __attribute__((always_inline)) void average(const etx_pool_params *p, const int8_t *x,
                                                          const etx_pool_part *in, int32_t left, int8_t *y) {
  int32_t a = 0, b = 0, c = 0, d = 0;
  for (int32_t row = in->top; row < in->bottom; ++row) {
    const int8_t *pixel = x + (row * p->in_width + in->left) * p->in_channels;
    for (int32_t column = in->left; column < in->right; ++column) {
      const int32_t word = etx_load_bytes(pixel, left);
      const int32_t even = etx_extend_even(word), odd = etx_extend_odd(word);
      a = etx_mac_low_low(even, 1, a);
      c = etx_mac_high_low(even, 1, c);
      b = etx_mac_low_low(odd, 1, b);
      d = etx_mac_high_low(odd, 1, d);
      pixel += p->in_channels;
    }
  }
  const int32_t count = (in->bottom - in->top) * (in->right - in->left);
  const int32_t results =
      etx_pack_s8x4(mean(p, a, count), mean(p, b, count), mean(p, c, count), mean(p, d, count));
  etx_store_bytes(y, results, left);
}

void etx_average_pool_2d_s8(const etx_pool_params *p, const int8_t *x, int8_t *y) {
  for (int32_t i = 0; i < p->out_height; ++i) {
    for (int32_t j = 0; j < p->out_width; ++j) {
      const etx_pool_part in = etx_pool_part_of(p, i, j);
      for (int32_t c = 0; c < p->in_channels; c += 4) {
        if (c + 4 <= p->in_channels) {
          average(p, x + c, &in, 4, y + c);
        } else {
          average(p, x + c, &in, p->in_channels - c, y + c);
        }
      }
      y += p->in_channels;
    }
  }
}
