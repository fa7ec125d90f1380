/* Products of 16 pairs of int8, added to four sums: by the dot product of Armv8.2. */
#ifndef ETX_NEON_DOT_H
#define ETX_NEON_DOT_H

#if defined(__ARM_NEON)
#include <arm_neon.h>

static inline int32x4_t etx_dot16(int32x4_t acc, int8x16_t a, int8x16_t b) { return vdotq_s32(acc, a, b); }
#endif

#endif
