/* Windows of a convolution for kernels that expand rows themselves: read from the image where they lie in it. */
#ifndef ETX_WINDOWS_H
#define ETX_WINDOWS_H

#include "etx_gather.h"

/* Rows of a window begin every so many bytes; what lies behind a shorter one is multiplied by zeros. */
static inline int32_t etx_window_row_bytes(const etx_convolution_params *p) {
  return (p->window_width * p->in_channels + 3) & ~3;
}

typedef struct {
  int32_t rows, row_bytes; /* rows that follow each other in the image are one */
  int32_t step;            /* between rows in the image */
  int32_t last_top, last_left, last_byte; /* of places whose window can be read where it lies */
} etx_windows;

static inline etx_windows etx_windows_of(const etx_convolution_params *p) {
  const int32_t image_row = p->in_width * p->in_channels, row_bytes = etx_window_row_bytes(p);
  const int32_t reach = (p->window_height - 1) * p->dilation_height, rows = p->window_height;
  const int is_whole = image_row == row_bytes && p->dilation_height == 1;
  const etx_windows windows = {
      .rows = is_whole ? 1 : rows,
      .row_bytes = is_whole ? rows * row_bytes : row_bytes,
      .step = p->dilation_height * image_row,
      .last_top = p->in_height - reach - 1,
      .last_left = p->dilation_width == 1 || p->window_width == 1 ? p->in_width - p->window_width : -1,
      .last_byte = (p->in_height - reach) * image_row - row_bytes};
  return windows;
}

/* Where in the image the window at a place begins; below 0 if it cannot be read there. */
static inline int32_t etx_window_start(const etx_convolution_params *p, const etx_windows *windows,
                                       etx_place place) {
  const int32_t start = (place.top * p->in_width + place.left) * p->in_channels;
  const int inside =
      place.top >= 0 && place.left >= 0 && place.top <= windows->last_top && place.left <= windows->last_left;
  return inside && start <= windows->last_byte ? start : -1;
}

/* An image, and where windows go that cannot be read there. */
typedef struct {
  const etx_convolution_params *p;
  const int8_t *x;
  etx_windows windows;
  int8_t *gathered;
} etx_image;

#endif
