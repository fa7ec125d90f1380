/* Convolutions with weights packed by edgetx/plan/packing. */
#ifndef ETX_PACKED_WINDOWS_H
#define ETX_PACKED_WINDOWS_H

#include "etx_kernels.h"
#include "etx_packed_matmul.h"
#include "etx_weights.h"
#include "etx_windows.h"

static void etx_expand_window(const etx_image *from, etx_place place, int32_t *to) {
  const etx_windows *windows = &from->windows;
  const int32_t bytes = windows->row_bytes, start = etx_window_start(from->p, windows, place);
  if (start < 0) {
    etx_gather_window(from->p, from->x, place, etx_window_row_bytes(from->p), from->gathered);
    etx_expand_row(from->gathered, bytes * windows->rows, to);
    return;
  }
  const int8_t *row = from->x + start;
  for (int32_t left = windows->rows; left > 0; --left, row += windows->step, to += bytes / 2) {
    etx_expand_row(row, bytes, to);
  }
}

/* The scratch buffer holds a window in 16 bits and in 8, then copies of weights. */
static inline void etx_multiply_windows(const etx_convolution_params *p, const int8_t *x, const int32_t *packed,
                                        int8_t *y, int32_t *scratch) {
  const etx_convolution_params here = *p; /* next to the stack rather than in flash */
  const int32_t inputs = here.window_height * etx_window_row_bytes(&here), y_step = here.out_channels;
  etx_packed_layer layer = {.inputs = inputs, .low = here.low, .high = here.high};
  const etx_image from = {&here, x, etx_windows_of(&here), (int8_t *)(scratch + inputs)};
  int32_t *const copy = scratch + inputs + inputs / 2;
  etx_weights weights = etx_weights_of(packed, y_step, ETX_BLOCK_WORDS(inputs), copy);
  for (; etx_next_weights(&weights); y += layer.outputs) {
    layer.packed = weights.packed;
    layer.outputs = weights.outputs;
    etx_place place = etx_first_place(&here);
    int8_t *results = y;
    for (int32_t left = here.out_height * here.out_width; left > 0; --left, results += y_step) {
      etx_expand_window(&from, place, scratch);
      etx_raise_row(&layer, scratch);
      etx_next_place(&here, &place);
      etx_multiply_row(&layer, scratch, etx_rescale, results);
    }
  }
}

#endif
