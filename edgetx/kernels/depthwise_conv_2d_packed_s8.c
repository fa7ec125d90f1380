#include "etx_rescale.h"
#include "etx_taps.h"

static int32_t sum_of(const etx_convolution_params *p, const etx_taps *taps, int32_t channel) {
  const int32_t channels = p->in_channels, offset = p->input_offset, step = p->dilation_width * channels;
  const int32_t down = p->dilation_height * p->in_width * channels;
  int32_t sum = 0;
  for (int32_t row = 0; row < taps->rows; ++row) {
    const int8_t *x = taps->x + row * down + channel, *w = taps->w + row * p->window_width * channels + channel;
    for (int32_t left = taps->columns; left > 0; --left, x += step, w += channels) {
      sum += (*x + offset) * *w;
    }
  }
  return sum;
}

void etx_depthwise_conv_2d_packed_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                                     const int32_t *bias, const int32_t *rescaling, int8_t *y) {
  const etx_rescaling *by = (const etx_rescaling *)rescaling;
  const int32_t channels = p->in_channels;
  etx_place place = etx_first_place(p);
  for (int32_t left = p->out_height * p->out_width; left > 0; --left, y += channels, etx_next_place(p, &place)) {
    const etx_taps taps = etx_taps_of(p, x, w, place);
    for (int32_t c = 0; c < channels; ++c) {
      y[c] = (int8_t)etx_clamp(etx_rescale(bias[c] + sum_of(p, &taps, c), by + c), p->low, p->high);
    }
  }
}
