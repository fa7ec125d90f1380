#include "etx_kernels.h"
#include "etx_packed_matmul.h"

void etx_fully_connected_packed_s8(const etx_fully_connected_params *p, const int8_t *x,
                                   const int32_t *packed, int8_t *y, int32_t *scratch) {
  const etx_packed_layer layer = {packed, (p->in_features + 3) & ~3, p->out_features, p->low, p->high};
  for (int32_t row = 0; row < p->rows; ++row) {
    etx_expand_row(x, p->in_features, scratch);
    etx_multiply_row(&layer, scratch, y);
    x += p->in_features;
    y += p->out_features;
  }
}
