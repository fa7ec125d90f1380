/* Products of a row of 16 bits and a row of weights. */
#ifndef ETX_WIDE_DOT_H
#define ETX_WIDE_DOT_H

#include <stdint.h>

#define ETX_NARROW_PRODUCTS 256 /* so many products of 16 and 8 bits add up in 32 */

/* Sum of x[i] * w[i]. */
static inline int64_t etx_wide_dot(const int16_t *x, const int8_t *w, int32_t size) {
  int64_t sum = 0;
  while (size > 0) {
    const int32_t part = size < ETX_NARROW_PRODUCTS ? size : ETX_NARROW_PRODUCTS;
    int32_t narrow = 0;
    for (int32_t i = 0; i < part; ++i) {
      narrow += x[i] * w[i];
    }
    sum += narrow;
    size -= part;
    x += part;
    w += part;
  }
  return sum;
}

#endif
