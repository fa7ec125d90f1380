#include "etx_neon_matmul.h"

void etx_fully_connected_s8(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w,
                            const int32_t *bias, const int32_t *mantissas, const int32_t *shifts, int8_t *y) {
  const etx_neon_output out = {bias, mantissas, shifts, p->input_offset, p->output_offset, p->low, p->high};
  for (int32_t row = 0; row < p->rows; row += ETX_TILE) {
    const int32_t rows = p->rows - row < ETX_TILE ? p->rows - row : ETX_TILE;
    const int8_t *tile[ETX_TILE];
    for (int32_t r = 0; r < ETX_TILE; ++r) {
      tile[r] = x + (row + (r < rows ? r : 0)) * p->in_features;
    }
    etx_matmul_rows(tile, rows, w, p->in_features, p->out_features, &out, y + row * p->out_features);
  }
}
