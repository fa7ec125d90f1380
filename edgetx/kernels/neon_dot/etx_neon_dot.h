/* Products of 16 pairs of int8, added to four sums: by the dot product of Armv8.2. */
#ifndef ETX_NEON_DOT_H
#define ETX_NEON_DOT_H

#if defined(__ARM_NEON)
#include <arm_neon.h>

/* There are registers for all rows of a step. */
enum { ETX_LOADS_ROWS_FIRST = 1, ETX_HAS_NARROW = 0 };

static inline int32x4_t etx_dot16(int32x4_t acc, int8x16_t a, int8x16_t b) { return vdotq_s32(acc, a, b); }

static inline int32x4_t etx_dot16_narrow(int32x4_t acc, int8x16_t a, int8x16_t b) { return etx_dot16(acc, a, b); }

/* 16 int8 added up, to four sums. */
static inline int32x4_t etx_sum16(int32x4_t acc, int8x16_t a) { return vdotq_s32(acc, a, vdupq_n_s8(1)); }
#endif

#endif
