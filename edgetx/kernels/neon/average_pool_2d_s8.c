#include "etx_kernels.h"

#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

enum { STEP = 16 };

/* The part of a window that lies in the image. */
typedef struct {
  int32_t top, bottom, left, right;
} part;

/* Sums of up to 16 channels, which begin at x. */
static void add_window(const etx_pool_params *p, const int8_t *x, const part *in, int32_t channels,
                       int32_t sums[STEP]) {
#if defined(__ARM_NEON)
  if (channels == STEP) {
    int32x4_t acc[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (int32_t row = in->top; row < in->bottom; ++row) {
      const int8_t *pixel = x + (row * p->in_width + in->left) * p->in_channels;
      for (int32_t column = in->left; column < in->right; ++column, pixel += p->in_channels) {
        const int8x16_t all = vld1q_s8(pixel);
        const int16x8_t low = vmovl_s8(vget_low_s8(all)), high = vmovl_high_s8(all);
        acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
        acc[1] = vaddw_high_s16(acc[1], low);
        acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
        acc[3] = vaddw_high_s16(acc[3], high);
      }
    }
    for (int32_t c = 0; c < 4; ++c) {
      vst1q_s32(sums + 4 * c, acc[c]);
    }
    return;
  }
#endif
  for (int32_t c = 0; c < channels; ++c) {
    sums[c] = 0;
    for (int32_t row = in->top; row < in->bottom; ++row) {
      for (int32_t column = in->left; column < in->right; ++column) {
        sums[c] += x[(row * p->in_width + column) * p->in_channels + c];
      }
    }
  }
}

/* To nearest, with ties away from 0. */
static int32_t mean_of(int32_t sum, int32_t count) { return (sum > 0 ? sum + count / 2 : sum - count / 2) / count; }

void etx_average_pool_2d_s8(const etx_pool_params *p, const int8_t *x, int8_t *y) {
  for (int32_t place = 0; place < p->out_height * p->out_width; ++place, y += p->out_channels) {
    const int32_t top = place / p->out_width * p->stride_height - p->pad_top, bottom = top + p->window_height;
    const int32_t left = place % p->out_width * p->stride_width - p->pad_left, right = left + p->window_width;
    const part in = {top > 0 ? top : 0, bottom < p->in_height ? bottom : p->in_height, left > 0 ? left : 0,
                     right < p->in_width ? right : p->in_width};
    const int32_t count = (in.bottom - in.top) * (in.right - in.left);
    for (int32_t first = 0; first < p->out_channels; first += STEP) {
      const int32_t channels = p->out_channels - first < STEP ? p->out_channels - first : STEP;
      int32_t sums[STEP];
      add_window(p, x + first, &in, channels, sums);
      for (int32_t c = 0; c < channels; ++c) {
        y[first + c] = (int8_t)etx_clamp(mean_of(sums[c], count), p->low, p->high);
      }
    }
  }
}
