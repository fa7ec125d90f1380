/* Square roots and lengths of integers, for cores that divide and count zeros. */
#ifndef ETX_ISQRT_H
#define ETX_ISQRT_H

#include <stdint.h>

/* floor(sqrt(x)), by Newton's method from above. */
static inline uint32_t etx_isqrt(uint32_t x) {
  if (x == 0) {
    return 0;
  }
  uint32_t root = 1u << ((33 - __builtin_clz(x)) / 2);
  for (uint32_t quotient = x / root; quotient < root; quotient = x / root) {
    root = (root + quotient) / 2;
  }
  return root;
}

static inline int32_t etx_bit_length(uint64_t x) {
  const uint32_t high = (uint32_t)(x >> 32), low = (uint32_t)x;
  return high != 0 ? 64 - __builtin_clz(high) : (low != 0 ? 32 - __builtin_clz(low) : 0);
}

#endif
