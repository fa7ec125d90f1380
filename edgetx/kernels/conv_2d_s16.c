#include "etx_kernels.h"
#include "etx_wide_dot.h"

/* Weighted sum over the part of a window's row that lies in the image. */
static int64_t row_sum(const etx_convolution_params *p, const int16_t *x, const int8_t *w, int32_t left) {
  const int32_t channels = p->in_channels, together = p->dilation_width == 1 ? p->window_width : 1;
  int64_t sum = 0;
  for (int32_t i = 0; i < p->window_width; i += together) {
    const int32_t first = left + i * p->dilation_width, right = p->in_width - first;
    const int32_t begin = first < 0 ? -first : 0, end = together < right ? together : right;
    if (begin < end) {
      sum += etx_wide_dot(x + (first + begin) * channels, w + (i + begin) * channels, (end - begin) * channels);
    }
  }
  return sum;
}

static int64_t window_sum(const etx_convolution_params *p, const int16_t *x, const int8_t *w, int32_t top,
                          int32_t left) {
  int64_t sum = 0;
  for (int32_t i = 0; i < p->window_height; ++i) {
    const int32_t row = top + i * p->dilation_height;
    if (row >= 0 && row < p->in_height) {
      sum += row_sum(p, x + row * p->in_width * p->in_channels, w + i * p->window_width * p->in_channels, left);
    }
  }
  return sum;
}

void etx_conv_2d_s16(const etx_convolution_params *p, const int16_t *x, const int8_t *w, const int64_t *bias,
                     const int32_t *mantissas, const int32_t *shifts, int16_t *y) {
  const int32_t filter_size = p->window_height * p->window_width * p->in_channels;
  for (int32_t i = 0; i < p->out_height; ++i) {
    const int32_t top = i * p->stride_height - p->pad_top;
    for (int32_t j = 0; j < p->out_width; ++j) {
      const int32_t left = j * p->stride_width - p->pad_left;
      for (int32_t c = 0; c < p->out_channels; ++c) {
        const int64_t acc = bias[c] + window_sum(p, x, w + c * filter_size, top, left);
        const int32_t scaled = etx_multiply_by_quantized_multiplier_s64(acc, mantissas[c], shifts[c]);
        *y = (int16_t)etx_clamp(scaled, p->low, p->high);
        ++y;
      }
    }
  }
}
