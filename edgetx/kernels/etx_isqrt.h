/* Square roots and lengths of integers. */
#ifndef ETX_ISQRT_H
#define ETX_ISQRT_H

#include <stdint.h>

/* floor(sqrt(x)), a bit per step. */
static inline uint32_t etx_isqrt(uint32_t x) {
  uint32_t root = 0;
  for (uint32_t bit = 1u << 30; bit != 0; bit >>= 2) {
    if (x >= root + bit) {
      x -= root + bit;
      root = (root >> 1) + bit;
    } else {
      root >>= 1;
    }
  }
  return root;
}

static inline int32_t etx_bit_length(uint64_t x) {
  int32_t length = 0;
  for (; x >> 16 != 0; x >>= 16) {
    length += 16;
  }
  for (; x != 0; x >>= 1) {
    length += 1;
  }
  return length;
}

#endif
