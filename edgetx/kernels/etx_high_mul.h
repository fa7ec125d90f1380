/* The product behind every rescaling; cores without a long multiplication have a file of this name of their own. */
#ifndef ETX_HIGH_MUL_H
#define ETX_HIGH_MUL_H

#include <stdint.h>

/* (a * b) / 2^31 to nearest, ties upwards, saturated. */
static inline int32_t etx_rounding_doubling_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) {
    return INT32_MAX;
  }
  return (int32_t)(((int64_t)a * b + (1LL << 30)) >> 31);
}

#endif
