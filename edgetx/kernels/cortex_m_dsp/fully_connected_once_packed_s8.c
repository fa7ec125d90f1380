#include "etx_kernels.h"
#include "etx_packed_matmul.h"
#include "etx_weights.h"

void etx_fully_connected_once_packed_s8(const etx_fully_connected_params *p, const int8_t *x,
                                        const int32_t *packed, int8_t *y, int32_t *scratch) {
  const int32_t size = p->in_features, inputs = (size + 3) & ~3, y_step = p->out_features;
  etx_packed_layer layer = {.inputs = inputs, .y_step = y_step, .limits = etx_limits_of(p->low, p->high)};
  etx_weights weights = etx_weights_of(packed, y_step, ETX_BLOCK_WORDS(inputs), scratch + inputs);
  for (; etx_next_weights(&weights); y += layer.outputs) {
    layer.packed = weights.packed;
    layer.outputs = weights.outputs;
    for (int32_t i = 0; i < p->rows; ++i) {
      etx_expand_two_rows(x + i * size, x + i * size, size, scratch);
      etx_multiply_row(&layer, scratch, etx_rescale_once, y + i * y_step);
    }
  }
}
