#include "etx_dot_matmul.h"

void etx_fully_connected_dot_s8(const etx_fully_connected_params *p, const int8_t *x, const int32_t *packed,
                                int8_t *y) {
  const etx_dot_layer layer = {p->in_features, p->out_features, p->output_offset, p->low, p->high};
  for (int32_t row = 0; row < p->rows; row += ETX_ROWS) {
    const int32_t live = p->rows - row < ETX_ROWS ? p->rows - row : ETX_ROWS;
    const int8_t *rows[ETX_ROWS];
    for (int32_t r = 0; r < ETX_ROWS; ++r) {
      rows[r] = x + (row + (r < live ? r : 0)) * p->in_features;
    }
    etx_dot_rows(&layer, rows, live, packed, y + row * p->out_features);
  }
}
