/* Integer reciprocal square root; counterpart of reciprocal_root in edgetx/ops/normalize.py. */
#ifndef ETX_ROOT_H
#define ETX_ROOT_H

#include "etx_isqrt.h"

typedef struct {
  int32_t mantissa;
  int32_t exponent;
} etx_root;

/* 1 / sqrt(v) = mantissa * 2^-exponent with a mantissa of `bits` bits, for v in 1..2^62. */
static inline etx_root etx_reciprocal_root(uint64_t v, int32_t bits) {
  const int32_t excess = etx_bit_length(v) - 31;
  const int32_t even = excess - (excess & 1);
  const uint32_t mantissa = (uint32_t)(even >= 0 ? v >> even : v << -even);
  const uint32_t reciprocal = (1u << 31) / etx_isqrt(mantissa);
  const etx_root root = {(int32_t)(reciprocal >> (16 - bits)), even / 2 + 31 - (16 - bits)};
  return root;
}

/* 1 / sqrt(v + epsilon / 2^8); a v of 0 counts as 1, because then there is nothing to normalize. */
static inline etx_root etx_reciprocal_root_of_variance(int64_t v, int64_t epsilon, int32_t bits) {
  const int64_t variance = v > 0 ? v : 1;
  etx_root root = etx_reciprocal_root(((uint64_t)variance << 8) + (uint64_t)epsilon, bits);
  root.exponent -= 4;
  return root;
}

#endif
