#include "etx_neon_matmul.h"

void etx_fully_connected_s8(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w,
                            const int32_t *bias, const int32_t *mantissas, const int32_t *shifts, int8_t *y) {
  const etx_neon_output all = {bias, mantissas, shifts, p->input_offset, p->output_offset, p->low, p->high};
  int32_t folded[ETX_CHUNK];
  for (int32_t first = 0; first < p->out_features; first += ETX_CHUNK) {
    const int32_t channels = p->out_features - first < ETX_CHUNK ? p->out_features - first : ETX_CHUNK;
    const etx_neon_output out = etx_output_from(&all, first);
    const int8_t *weights = w + first * p->in_features;
    const int is_folded = p->rows > ETX_TILE;
    const int is_narrow = is_folded && etx_fold_offsets(weights, p->in_features, channels, &out, folded);
    for (int32_t row = 0; row < p->rows; row += ETX_TILE) {
      const int32_t rows = p->rows - row < ETX_TILE ? p->rows - row : ETX_TILE;
      const int8_t *tile[ETX_TILE];
      for (int32_t r = 0; r < ETX_TILE; ++r) {
        tile[r] = x + (row + (r < rows ? r : 0)) * p->in_features;
      }
      etx_matmul_rows(tile, rows, weights, p->in_features, channels, &out, is_folded ? folded : 0, is_narrow,
                      y + row * p->out_features + first, p->out_features);
    }
  }
}
