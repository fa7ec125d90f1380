#include "etx_kernels.h"

/* Weighted sum over the part of a window that lies in the image, from one channel of x for one of the result.
 */
static int32_t window_sum(const etx_convolution_params *p, const int8_t *x, const int8_t *w, int32_t top,
                          int32_t left) {
  int32_t acc = 0;
  for (int32_t i = 0; i < p->window_height; ++i) {
    const int32_t row = top + i * p->dilation_height;
    for (int32_t j = 0; j < p->window_width; ++j) {
      const int32_t column = left + j * p->dilation_width;
      if (row >= 0 && row < p->in_height && column >= 0 && column < p->in_width) {
        acc += (x[(row * p->in_width + column) * p->in_channels] + p->input_offset) * *w;
      }
      w += p->out_channels;
    }
  }
  return acc;
}

void etx_depthwise_conv_2d_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                              const int32_t *bias, const int32_t *mantissas, const int32_t *shifts,
                              int8_t *y) {
  const int32_t multiplier = p->out_channels / p->in_channels;
  for (int32_t i = 0; i < p->out_height; ++i) {
    const int32_t top = i * p->stride_height - p->pad_top;
    for (int32_t j = 0; j < p->out_width; ++j) {
      const int32_t left = j * p->stride_width - p->pad_left;
      for (int32_t c = 0; c < p->out_channels; ++c) {
        const int32_t acc = bias[c] + window_sum(p, x + c / multiplier, w + c, top, left);
        *y = (int8_t)etx_requantize(acc, mantissas[c], shifts[c], p->output_offset, p->low, p->high);
        ++y;
      }
    }
  }
}
