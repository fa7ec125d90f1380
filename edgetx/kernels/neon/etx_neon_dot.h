/* Products of 16 pairs of int8, added to four sums: by widening multiplications, for cores without dot products. */
#ifndef ETX_NEON_DOT_H
#define ETX_NEON_DOT_H

#if defined(__ARM_NEON)
#include <arm_neon.h>

/* Products need the registers in which rows would wait. */
enum { ETX_LOADS_ROWS_FIRST = 0, ETX_HAS_NARROW = 1 };

static inline int32x4_t etx_dot16(int32x4_t acc, int8x16_t a, int8x16_t b) {
  acc = vpadalq_s16(acc, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
  return vpadalq_s16(acc, vmull_high_s8(a, b));
}

/* The same for b without -128: two products fit into 16 bits. */
static inline int32x4_t etx_dot16_narrow(int32x4_t acc, int8x16_t a, int8x16_t b) {
  return vpadalq_s16(acc, vmlal_high_s8(vmull_s8(vget_low_s8(a), vget_low_s8(b)), a, b));
}

/* Pairs of 16 int8 added up, to four sums. */
static inline int32x4_t etx_sum16(int32x4_t acc, int8x16_t a) { return vpadalq_s16(acc, vpaddlq_s8(a)); }
#endif

#endif
