/* Windows of a convolution, one after the other, as rows of a matrix. */
#ifndef ETX_GATHER_H
#define ETX_GATHER_H

#include "etx_kernels.h"

/* Where a window lies in the image, which it may leave. */
typedef struct {
  int32_t top;
  int32_t left;
} etx_place;

static inline etx_place etx_first_place(const etx_convolution_params *p) {
  const etx_place place = {-p->pad_top, -p->pad_left};
  return place;
}

/* The place of result number `index`. */
static inline etx_place etx_place_of(const etx_convolution_params *p, int32_t index) {
  const etx_place place = {index / p->out_width * p->stride_height - p->pad_top,
                           index % p->out_width * p->stride_width - p->pad_left};
  return place;
}

static inline void etx_next_place(const etx_convolution_params *p, etx_place *place) {
  place->left += p->stride_width;
  if (place->left == p->out_width * p->stride_width - p->pad_left) {
    place->left = -p->pad_left;
    place->top += p->stride_height;
  }
}

static inline void etx_copy_bytes(int8_t *to, const int8_t *from, int32_t count) {
  for (; count >= 4; count -= 4, to += 4, from += 4) {
    __builtin_memcpy(to, from, 4);
  }
  for (; count > 0; --count) {
    *to++ = *from++;
  }
}

static inline void etx_fill_bytes(int8_t *to, int32_t value, int32_t count) {
  const int8_t word[4] = {(int8_t)value, (int8_t)value, (int8_t)value, (int8_t)value};
  for (; count >= 4; count -= 4, to += 4) {
    __builtin_memcpy(to, word, 4);
  }
  for (; count > 0; --count) {
    *to++ = (int8_t)value;
  }
}

/* Copies what lies in the image of neighbouring columns, the first one `left`, every `distance` bytes. */
static inline void etx_gather_columns(const etx_convolution_params *p, const int8_t *x, int32_t top,
                                      int32_t left, int32_t columns, int32_t distance, int8_t *to) {
  const int32_t height = p->in_height, row_step = p->dilation_height, channels = p->in_channels;
  const int32_t before = left < 0 ? -left : 0, right = left + columns;
  const int32_t inside = (right < p->in_width ? right : p->in_width) - left - before;
  const int32_t pixel = top * p->in_width + left + before;
  const int8_t *from = x + pixel * channels;
  to += before * channels;
  for (int32_t row = top, rows = p->window_height; rows > 0; --rows, row += row_step) {
    if (row >= 0 && row < height) {
      etx_copy_bytes(to, from, inside * channels);
    }
    to += distance;
    from += row_step * p->in_width * channels;
  }
}

/* The window at a place, its rows every `distance` bytes, zero points beyond the ends of the image. */
static inline void etx_gather_window(const etx_convolution_params *p, const int8_t *x, etx_place place,
                                     int32_t distance, int8_t *to) {
  const int32_t top = place.top, left = place.left;
  const int32_t bottom = top + (p->window_height - 1) * p->dilation_height;
  const int32_t right = left + (p->window_width - 1) * p->dilation_width;
  if (top < 0 || left < 0 || bottom >= p->in_height || right >= p->in_width) {
    etx_fill_bytes(to, -p->input_offset, p->window_height * distance);
  }
  if (p->dilation_width == 1) {
    etx_gather_columns(p, x, top, left, p->window_width, distance, to);
    return;
  }
  for (int32_t j = 0; j < p->window_width; ++j) {
    etx_gather_columns(p, x, top, left + j * p->dilation_width, 1, distance, to + j * p->in_channels);
  }
}

#endif
