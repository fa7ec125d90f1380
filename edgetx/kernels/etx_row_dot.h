/* Products of a row and rows of weights. */
#ifndef ETX_ROW_DOT_H
#define ETX_ROW_DOT_H

#include <stdint.h>

typedef struct {
  int32_t first, second;
} etx_two_sums;

/* Adds (x[i] + offset) * w[i], and the same with other weights. */
static inline void etx_add_row_dots(const int8_t *x, int32_t offset, const int8_t *w, const int8_t *other, int32_t size,
                                    etx_two_sums *to) {
  int32_t first = to->first, second = to->second;
  for (int32_t i = 0; i < size; ++i) {
    first += (x[i] + offset) * w[i];
    second += (x[i] + offset) * other[i];
  }
  *to = (etx_two_sums){first, second};
}

#endif
