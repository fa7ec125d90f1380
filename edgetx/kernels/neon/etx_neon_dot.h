/* Products of 16 pairs of int8, added to four sums: by widening multiplications, for cores without dot products. */
#ifndef ETX_NEON_DOT_H
#define ETX_NEON_DOT_H

#if defined(__ARM_NEON)
#include <arm_neon.h>

static inline int32x4_t etx_dot16(int32x4_t acc, int8x16_t a, int8x16_t b) {
  acc = vpadalq_s16(acc, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
  return vpadalq_s16(acc, vmull_high_s8(a, b));
}
#endif

#endif
