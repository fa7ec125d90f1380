/* Convolutions with weights packed by edgetx/plan/packing. */
#ifndef ETX_PACKED_WINDOWS_H
#define ETX_PACKED_WINDOWS_H

#include "etx_kernels.h"
#include "etx_packed_matmul.h"
#include "etx_weights.h"
#include "etx_windows.h"

/* The window at a place, in the image or else gathered; its rows are `step` bytes apart. */
static const int8_t *etx_window_at(const etx_image *from, const etx_place *place, int8_t *gathered, int32_t *step) {
  const int32_t start = etx_window_start(from->p, &from->windows, *place);
  *step = from->windows.step;
  if (start >= 0) {
    return from->x + start;
  }
  *step = from->windows.row_bytes;
  etx_gather_window(from->p, from->x, *place, etx_window_row_bytes(from->p), gathered);
  return gathered;
}

static void etx_expand_any_windows(const etx_image *from, etx_place first, etx_place second, int32_t *to) {
  const int32_t bytes = from->windows.row_bytes, rows = from->windows.rows;
  int32_t step, next_step;
  const int8_t *row = etx_window_at(from, &first, from->gathered, &step);
  const int8_t *next = etx_window_at(from, &second, from->gathered + rows * bytes, &next_step);
  for (int32_t left = rows; left > 0; --left, row += step, next += next_step) {
    to = etx_expand_two_rows(row, next, bytes, to);
  }
}

/* Expands the windows at a place and at the next one, to which it goes. */
static inline void etx_expand_two_windows(const etx_image *from, etx_place *place, int32_t *to) {
  const etx_convolution_params *p = from->p;
  const etx_place first = *place;
  etx_next_place(p, place);
  /* where the second can be read in the same row of the image, so can the first */
  const int32_t start = place->left > first.left && first.left >= 0 ? etx_window_start(p, &from->windows, *place) : -1;
  if (start < 0) {
    etx_expand_any_windows(from, first, *place, to);
    return;
  }
  const int32_t bytes = from->windows.row_bytes, step = from->windows.step;
  const int8_t *next = from->x + start, *row = next - p->stride_width * p->in_channels;
  for (int32_t left = from->windows.rows; left > 0; --left, row += step, next += step) {
    to = etx_expand_two_rows(row, next, bytes, to);
  }
}

/* The scratch buffer holds two windows in 16 bits and in 8, then copies of weights. */
static inline void etx_multiply_windows(const etx_convolution_params *p, const int8_t *x, const int32_t *packed,
                                        int8_t *y, int32_t *scratch) {
  const etx_convolution_params here = *p; /* next to the stack rather than in flash */
  const int32_t inputs = here.window_height * etx_window_row_bytes(&here), y_step = here.out_channels;
  etx_packed_layer layer = {.inputs = inputs,
                            .limits = etx_limits_of(here.low, here.high),
                            .rounding = here.low >= here.output_offset ? ETX_ROUND_TWICE_RECTIFIED : ETX_ROUND_TWICE};
  const etx_image from = {&here, x, etx_windows_of(&here), (int8_t *)(scratch + inputs)};
  int32_t *const copy = scratch + inputs + inputs / 2;
  etx_weights weights = etx_weights_of(packed, y_step, ETX_BLOCK_WORDS(inputs), copy);
  for (; etx_next_weights(&weights); y += layer.outputs) {
    layer.packed = weights.packed;
    layer.outputs = weights.outputs;
    etx_place place = etx_first_place(&here);
    int8_t *results = y;
    for (int32_t left = here.out_height * here.out_width; left > 0; left -= 2, results += 2 * y_step) {
      layer.y_step = left > 1 ? y_step : 0; /* the results of the window behind the last one are written over */
      etx_expand_two_windows(&from, &place, scratch);
      etx_raise_two_rows(&layer, scratch);
      etx_next_place(&here, &place);
      etx_multiply_two_rows(&layer, scratch, results);
    }
  }
}

#endif
