/* The product behind every rescaling, of four short products: Cortex-M0 has no long multiplication. */
#ifndef ETX_HIGH_MUL_H
#define ETX_HIGH_MUL_H

#include <stdint.h>

/* (a * b) / 2^31 to nearest, ties upwards, saturated. */
static inline int32_t etx_rounding_doubling_high_mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) {
    return INT32_MAX;
  }
  const int32_t a_high = a >> 16, a_low = a & 0xFFFF, b_high = b >> 16, b_low = b & 0xFFFF;
  const int32_t middle = a_high * b_low + (int32_t)(((uint32_t)a_low * (uint32_t)b_low) >> 16);
  const int32_t other = a_low * b_high;
  const int32_t halves = (middle >> 1) + (other >> 1) + (middle & other & 1); /* their sum may need 33 bits */
  const int32_t rest = (halves + (1 << 13)) >> 14;
  return (int32_t)((uint32_t)(a_high * b_high) * 2u + (uint32_t)rest);
}

#endif
