/* Fully connected layers with weights packed by edgetx/plan/packing. */
#ifndef ETX_PACKED_ROWS_H
#define ETX_PACKED_ROWS_H

#include "etx_kernels.h"
#include "etx_packed_matmul.h"
#include "etx_weights.h"

/* The scratch buffer holds a row in 16 bits, then copies of weights. */
static inline void etx_multiply_rows(const etx_fully_connected_params *p, const int8_t *x, const int32_t *packed,
                                     etx_rescaler *rescale, int8_t *y, int32_t *scratch) {
  const int32_t size = p->in_features, inputs = (size + 3) & ~3, y_step = p->out_features;
  etx_packed_layer layer = {.inputs = inputs, .low = p->low, .high = p->high};
  etx_weights weights = etx_weights_of(packed, y_step, ETX_BLOCK_WORDS(inputs), scratch + inputs);
  for (; etx_next_weights(&weights); y += layer.outputs) {
    layer.packed = weights.packed;
    layer.outputs = weights.outputs;
    const int8_t *row = x;
    int8_t *results = y;
    for (int32_t left = p->rows; left > 0; --left, row += size, results += y_step) {
      etx_expand_row(row, size, scratch);
      etx_raise_row(&layer, scratch);
      etx_multiply_row(&layer, scratch, rescale, results);
    }
  }
}

#endif
