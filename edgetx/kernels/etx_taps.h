/* The part of a window that lies in the image. */
#ifndef ETX_TAPS_H
#define ETX_TAPS_H

#include "etx_gather.h"

typedef struct {
  int32_t rows, columns;
  const int8_t *x; /* at the first of them, in the first channel */
  const int8_t *w;
} etx_taps;

/* How many steps of `dilation` from `start` below 0 lead into the image, and how many lie before its end. */
static inline int32_t etx_steps_before(int32_t start, int32_t dilation) {
  return start < 0 ? (-start + dilation - 1) / dilation : 0;
}

static inline int32_t etx_steps_until(int32_t start, int32_t dilation, int32_t size, int32_t window) {
  const int32_t last = start + (window - 1) * dilation;
  return last < size ? window : window - (last - size) / dilation - 1;
}

/* Of the window at a place; depthwise weights [height][width][channels]. */
static inline etx_taps etx_taps_of(const etx_convolution_params *p, const int8_t *x, const int8_t *w, etx_place at) {
  const int32_t row = etx_steps_before(at.top, p->dilation_height);
  const int32_t column = etx_steps_before(at.left, p->dilation_width);
  const int32_t y = at.top + row * p->dilation_height, z = at.left + column * p->dilation_width;
  const etx_taps taps = {
      .rows = etx_steps_until(at.top, p->dilation_height, p->in_height, p->window_height) - row,
      .columns = etx_steps_until(at.left, p->dilation_width, p->in_width, p->window_width) - column,
      .x = x + (y * p->in_width + z) * p->in_channels,
      .w = w + (row * p->window_width + column) * p->out_channels};
  return taps;
}

#endif
