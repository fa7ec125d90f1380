/* Products of a row and rows of weights, four at a time. */
#ifndef ETX_ROW_DOT_H
#define ETX_ROW_DOT_H

#include "etx_dsp.h"

typedef struct {
  int32_t first, second;
} etx_two_sums;

/* Adds (x[i] + offset) * w[i], and the same with other weights. */
static inline void etx_add_row_dots(const int8_t *x, int32_t offset, const int8_t *w, const int8_t *other, int32_t size,
                                    etx_two_sums *to) {
  const int32_t offsets = etx_pack_low(offset, offset);
  int32_t first = to->first, second = to->second, i = 0;
  for (; i + 4 <= size; i += 4) {
    const int32_t inputs = etx_load_s8x4(x + i), weights = etx_load_s8x4(w + i), others = etx_load_s8x4(other + i);
    const int32_t even = etx_extend_even_onto(offsets, inputs), odd = etx_extend_odd_onto(offsets, inputs);
    first = etx_dot(odd, etx_extend_odd(weights), etx_dot(even, etx_extend_even(weights), first));
    second = etx_dot(odd, etx_extend_odd(others), etx_dot(even, etx_extend_even(others), second));
  }
  for (; i < size; ++i) {
    first += (x[i] + offset) * w[i];
    second += (x[i] + offset) * other[i];
  }
  *to = (etx_two_sums){first, second};
}

#endif
