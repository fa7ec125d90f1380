#include "etx_gather.h"
#include "etx_neon_matmul.h"

enum { LARGEST_WINDOW = 4096 };

/* One result after the other, for windows that are too large to be gathered. */
static void convolve_slowly(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                            const etx_neon_output *out, int8_t *y) {
  for (int32_t i = 0; i < p->out_height * p->out_width * p->out_channels; ++i) {
    const int32_t channel = i % p->out_channels, place = i / p->out_channels;
    const int32_t top = place / p->out_width * p->stride_height - p->pad_top;
    const int32_t left = place % p->out_width * p->stride_width - p->pad_left;
    const int8_t *weight = w + channel * p->window_height * p->window_width * p->in_channels;
    int32_t acc = out->bias[channel];
    for (int32_t n = 0; n < p->window_height * p->window_width; ++n, weight += p->in_channels) {
      const int32_t row = top + n / p->window_width * p->dilation_height;
      const int32_t column = left + n % p->window_width * p->dilation_width;
      if (row >= 0 && row < p->in_height && column >= 0 && column < p->in_width) {
        for (int32_t c = 0; c < p->in_channels; ++c) {
          acc += (x[(row * p->in_width + column) * p->in_channels + c] + p->input_offset) * weight[c];
        }
      }
    }
    y[i] = (int8_t)etx_requantize(acc, out->mantissas[channel], out->shifts[channel], p->output_offset, p->low, p->high);
  }
}

void etx_conv_2d_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w, const int32_t *bias,
                    const int32_t *mantissas, const int32_t *shifts, int8_t *y) {
  const etx_neon_output out = {bias, mantissas, shifts, p->input_offset, p->output_offset, p->low, p->high};
  const int32_t window = p->window_height * p->window_width * p->in_channels;
  const int32_t places = p->out_height * p->out_width;
  /* Windows of single pixels lie there as they are. */
  const int is_pointwise = window == p->in_channels && p->stride_height == 1 && p->stride_width == 1 &&
                           p->pad_top == 0 && p->pad_left == 0 && p->out_width == p->in_width;
  int8_t windows[ETX_TILE][LARGEST_WINDOW];
  int32_t folded[ETX_CHUNK];
  if (window > LARGEST_WINDOW && !is_pointwise) {
    convolve_slowly(p, x, w, &out, y);
    return;
  }
  for (int32_t first = 0; first < p->out_channels; first += ETX_CHUNK) {
    const int32_t channels = p->out_channels - first < ETX_CHUNK ? p->out_channels - first : ETX_CHUNK;
    const etx_neon_output some = etx_output_from(&out, first);
    const int8_t *weights = w + first * window;
    const int is_folded = places > ETX_TILE;
    const int is_narrow = is_folded && etx_fold_offsets(weights, window, channels, &some, folded);
    for (int32_t place = 0; place < places; place += ETX_TILE) {
      const int32_t rows = places - place < ETX_TILE ? places - place : ETX_TILE;
      const int8_t *tile[ETX_TILE];
      for (int32_t r = 0; r < ETX_TILE; ++r) {
        const int32_t row = r < rows ? r : 0;
        tile[r] = is_pointwise ? x + (place + row) * window : windows[row];
        if (r < rows && !is_pointwise) {
          etx_gather_window(p, x, etx_place_of(p, place + r), p->window_width * p->in_channels, windows[r]);
        }
      }
      etx_matmul_rows(tile, rows, weights, window, channels, &some, is_folded ? folded : 0, is_narrow,
                      y + place * p->out_channels + first, p->out_channels);
    }
  }
}
