/* Windows of a convolution as rows of a matrix. */
#ifndef ETX_GATHER_H
#define ETX_GATHER_H

#include "etx_kernels.h"

static inline int8_t *etx_copy_bytes(int8_t *to, const int8_t *from, int32_t count) {
  for (; count >= 4; count -= 4, to += 4, from += 4) {
    __builtin_memcpy(to, from, 4);
  }
  for (; count > 0; --count) {
    *to++ = *from++;
  }
  return to;
}

static inline int8_t *etx_fill_bytes(int8_t *to, int32_t value, int32_t count) {
  for (; count > 0; --count) {
    *to++ = (int8_t)value;
  }
  return to;
}

/* Bytes of neighbouring columns that lie before, in and behind the image. */
typedef struct {
  int32_t before, inside, after;
} etx_run;

static inline etx_run etx_make_run(const etx_convolution_params *p, int32_t left, int32_t columns) {
  int32_t before = left < 0 ? -left : 0;
  int32_t after = left + columns > p->in_width ? left + columns - p->in_width : 0;
  before = before < columns ? before : columns;
  after = after < columns ? after : columns;
  const etx_run bytes = {before * p->in_channels, (columns - before - after) * p->in_channels,
                         after * p->in_channels};
  return bytes;
}

/* Columns of a window whose first one is `left`, zero points beyond the ends of the image; every `distance`
 * bytes. */
static inline void etx_gather_columns(const etx_convolution_params *p, const int8_t *x, int32_t top,
                                      int32_t left, int32_t columns, int32_t distance, int8_t *to) {
  const etx_run bytes = etx_make_run(p, left, columns);
  const int8_t *from = x + (top * p->in_width + left) * p->in_channels + bytes.before;
  int32_t row = top;
  for (int32_t i = 0; i < p->window_height; ++i) {
    if (row >= 0 && row < p->in_height) {
      int8_t *next = etx_fill_bytes(to, -p->input_offset, bytes.before);
      next = etx_copy_bytes(next, from, bytes.inside);
      etx_fill_bytes(next, -p->input_offset, bytes.after);
    } else {
      etx_fill_bytes(to, -p->input_offset, columns * p->in_channels);
    }
    to += distance;
    row += p->dilation_height;
    from += p->dilation_height * p->in_width * p->in_channels;
  }
}

/* The window of result number `index`. */
static inline void etx_gather_window(const etx_convolution_params *p, const int8_t *x, int32_t index,
                                     int8_t *to) {
  const int32_t top = index / p->out_width * p->stride_height - p->pad_top;
  const int32_t left = index % p->out_width * p->stride_width - p->pad_left;
  const int32_t distance = p->window_width * p->in_channels;
  if (p->dilation_width == 1) {
    etx_gather_columns(p, x, top, left, p->window_width, distance, to);
    return;
  }
  for (int32_t j = 0; j < p->window_width; ++j) {
    etx_gather_columns(p, x, top, left + j * p->dilation_width, 1, distance, to + j * p->in_channels);
  }
}

#endif
