#include "etx_kernels.h"
#include "etx_packed_matmul.h"

void etx_fully_connected_packed_s8(const etx_fully_connected_params *p, const int8_t *x,
                                   const int32_t *packed, int8_t *y, int32_t *scratch) {
  const int32_t inputs = p->in_features, outputs = p->out_features;
  const etx_packed_layer layer = {packed, (inputs + 3) & ~3, outputs,
                                  etx_limits_of(p->low, p->high), p->low >= p->output_offset};
  for (int32_t left = p->rows; left >= 2; left -= 2) {
    etx_expand_row(x, inputs, 2, scratch);
    etx_expand_row(x + inputs, inputs, 2, scratch + 1);
    etx_multiply_two_rows(&layer, scratch, y);
    x += 2 * inputs;
    y += 2 * outputs;
  }
  if ((p->rows & 1) != 0) {
    etx_expand_row(x, inputs, 1, scratch);
    etx_multiply_row(&layer, scratch, 1, etx_rescale, y);
  }
}
