#include "etx_neon_matmul.h"

/* One result after the other. */
static void convolve_slowly(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                            const etx_neon_output *out, int8_t *y) {
  const int32_t multiplier = p->out_channels / p->in_channels;
  for (int32_t i = 0; i < p->out_height * p->out_width * p->out_channels; ++i) {
    const int32_t channel = i % p->out_channels, place = i / p->out_channels;
    const int32_t top = place / p->out_width * p->stride_height - p->pad_top;
    const int32_t left = place % p->out_width * p->stride_width - p->pad_left;
    int32_t acc = out->bias[channel];
    for (int32_t n = 0; n < p->window_height * p->window_width; ++n) {
      const int32_t row = top + n / p->window_width * p->dilation_height;
      const int32_t column = left + n % p->window_width * p->dilation_width;
      if (row >= 0 && row < p->in_height && column >= 0 && column < p->in_width) {
        const int8_t value = x[(row * p->in_width + column) * p->in_channels + channel / multiplier];
        acc += (value + p->input_offset) * w[n * p->out_channels + channel];
      }
    }
    y[i] = (int8_t)etx_requantize(acc, out->mantissas[channel], out->shifts[channel], p->output_offset, p->low, p->high);
  }
}

#if defined(__ARM_NEON)
enum { LARGEST_WINDOW = 128 };

/* What lies under a window: the pixel of each of its weights, or zero points beyond the ends of the image. */
static void find_pixels(const etx_convolution_params *p, const int8_t *x, int32_t top, int32_t left,
                        const int8_t *zero_points, const int8_t **pixel) {
  for (int32_t i = 0; i < p->window_height; ++i) {
    const int32_t row = top + i * p->dilation_height;
    const int is_row = row >= 0 && row < p->in_height;
    const int8_t *line = x + (is_row ? row : 0) * p->in_width * p->in_channels;
    for (int32_t j = 0; j < p->window_width; ++j) {
      const int32_t column = left + j * p->dilation_width;
      *pixel++ = is_row && column >= 0 && column < p->in_width ? line + column * p->in_channels : zero_points;
    }
  }
}

static inline void add_halves(int32x4_t acc[ETX_TILE], int16x8_t low, int16x8_t high) {
  acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
  acc[1] = vaddw_high_s16(acc[1], low);
  acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
  acc[3] = vaddw_high_s16(acc[3], high);
}

/* Adds products of 16 channels of pixels, from `first` on, and their weights. Two products share 16 bits if no weight
 * is -128. */
__attribute__((always_inline)) static inline void add_window(const int8_t *const *pixel, const int8_t *w,
                                                             int32_t channels, int32_t first, int32_t count,
                                                             int is_narrow, int32x4_t acc[ETX_TILE]) {
  const int32_t paired = is_narrow ? count & ~1 : 0;
  w += first;
#pragma GCC unroll 4
  for (int32_t n = 0; n < paired; n += 2) {
    const int8x16_t a = vld1q_s8(pixel[n] + first), b = vld1q_s8(pixel[n + 1] + first);
    const int8x16_t v = vld1q_s8(w + n * channels), u = vld1q_s8(w + (n + 1) * channels);
    const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(v)), high = vmull_high_s8(a, v);
    add_halves(acc, vmlal_s8(low, vget_low_s8(b), vget_low_s8(u)), vmlal_high_s8(high, b, u));
  }
  for (int32_t n = paired; n < count; ++n) {
    const int8x16_t a = vld1q_s8(pixel[n] + first), v = vld1q_s8(w + n * channels);
    add_halves(acc, vmull_s8(vget_low_s8(a), vget_low_s8(v)), vmull_high_s8(a, v));
  }
}

static inline void store_channels(const int32x4_t acc[ETX_TILE], const etx_neon_output *out, int32_t first, int8_t *y) {
  int32x4_t scaled[ETX_TILE];
#pragma GCC unroll 4
  for (int32_t c = 0; c < ETX_TILE; ++c) {
    const int32x4_t mantissas = vld1q_s32(out->mantissas + first + ETX_TILE * c);
    const int32x4_t shifts = vld1q_s32(out->shifts + first + ETX_TILE * c);
    scaled[c] = etx_scale_four(acc[c], mantissas, shifts);
  }
  vst1q_s8(y + first, etx_narrow_all(scaled, out->output_offset, out->low, out->high));
}

/* The next 16 channels; where fewer are left the last 16, some of them once more. */
static inline int32_t clip_first(int32_t next, int32_t channels) {
  return next + ETX_STEP <= channels ? next : channels - ETX_STEP;
}

/* All channels of one place of the result. */
__attribute__((always_inline)) static inline void convolve_place(const int8_t *const *pixel, const int8_t *w,
                                                                 int32_t channels, int32_t count, int is_narrow,
                                                                 const int32_t *folded, const etx_neon_output *out,
                                                                 int8_t *y) {
  for (int32_t next = 0; next < channels; next += ETX_STEP) {
    const int32_t first = clip_first(next, channels);
    int32x4_t acc[ETX_TILE];
#pragma GCC unroll 4
    for (int32_t c = 0; c < ETX_TILE; ++c) {
      acc[c] = vld1q_s32(folded + first + ETX_TILE * c);
    }
    add_window(pixel, w, channels, first, count, is_narrow, acc);
    store_channels(acc, out, first, y);
  }
}

/* Biases with what the offset of the inputs adds; whether no weight is -128. */
static int fold_offsets(const int8_t *w, int32_t count, int32_t channels, const etx_neon_output *out, int32_t *folded) {
  int8x16_t least = vdupq_n_s8(0);
  for (int32_t next = 0; next < channels; next += ETX_STEP) {
    const int32_t first = clip_first(next, channels);
    int16x8_t low = vdupq_n_s16(0), high = low;
    for (int32_t n = 0; n < count; ++n) {
      const int8x16_t row = vld1q_s8(w + n * channels + first);
      low = vaddw_s8(low, vget_low_s8(row));
      high = vaddw_high_s8(high, row);
      least = vminq_s8(least, row);
    }
    const int16x4_t sums[ETX_TILE] = {vget_low_s16(low), vget_high_s16(low), vget_low_s16(high), vget_high_s16(high)};
#pragma GCC unroll 4
    for (int32_t c = 0; c < ETX_TILE; ++c) {
      const int32x4_t bias = vld1q_s32(out->bias + first + ETX_TILE * c);
      vst1q_s32(folded + first + ETX_TILE * c, vmlaq_n_s32(bias, vmovl_s16(sums[c]), out->input_offset));
    }
  }
  return vminvq_s8(least) > -128;
}

static void convolve(const etx_convolution_params *p, const int8_t *x, const int8_t *w, const etx_neon_output *out,
                     int8_t *y) {
  const int32_t channels = p->out_channels, count = p->window_height * p->window_width;
  const int8_t *pixel[LARGEST_WINDOW];
  int8_t zero_points[ETX_CHUNK];
  int32_t folded[ETX_CHUNK];
  const int is_narrow = fold_offsets(w, count, channels, out, folded);
  __builtin_memset(zero_points, -p->input_offset, (uint32_t)channels);
  for (int32_t i = 0; i < p->out_height; ++i) {
    for (int32_t j = 0; j < p->out_width; ++j, y += channels) {
      find_pixels(p, x, i * p->stride_height - p->pad_top, j * p->stride_width - p->pad_left, zero_points, pixel);
      if (count == 9 && is_narrow) {
        convolve_place(pixel, w, channels, 9, 1, folded, out, y);
      } else if (is_narrow) {
        convolve_place(pixel, w, channels, count, 1, folded, out, y);
      } else {
        convolve_place(pixel, w, channels, count, 0, folded, out, y);
      }
    }
  }
}
#endif

void etx_depthwise_conv_2d_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                              const int32_t *bias, const int32_t *mantissas, const int32_t *shifts,
                              int8_t *y) {
  const etx_neon_output all = {bias, mantissas, shifts, p->input_offset, p->output_offset, p->low, p->high};
#if defined(__ARM_NEON)
  const int32_t channels = p->out_channels;
  if (channels == p->in_channels && channels >= ETX_STEP && channels <= ETX_CHUNK &&
      p->window_height * p->window_width <= LARGEST_WINDOW) {
    convolve(p, x, w, &all, y);
    return;
  }
#endif
  convolve_slowly(p, x, w, &all, y);
}
