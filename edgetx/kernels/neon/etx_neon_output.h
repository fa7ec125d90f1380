/* Vectors of int8 in and out: what is left of a row, and the way from accumulators to results. */
#ifndef ETX_NEON_OUTPUT_H
#define ETX_NEON_OUTPUT_H

#include <stdint.h>

#if defined(__ARM_NEON)
#include <arm_neon.h>

enum { ETX_STEP = 16, ETX_QUARTERS = 4 };

/* Up to 15 int8, zeros behind them. */
static inline int8x16_t etx_load_tail(const int8_t *from, int32_t count) {
  int8_t padded[ETX_STEP] = {0};
  int8_t *to = padded;
#pragma GCC unroll 4
  for (int32_t size = ETX_STEP / 2; size > 0; size /= 2) {
    if (count & size) {
      __builtin_memcpy(to, from, (uint32_t)size);
      to += size;
      from += size;
    }
  }
  return vld1q_s8(padded);
}

/* Up to 16 int8 from a row of `count`. */
static inline int8x16_t etx_load_some(const int8_t *from, int32_t count) {
  return count >= ETX_STEP ? vld1q_s8(from) : etx_load_tail(from, count);
}

/* The first `count` of 16 int8, at most all. */
static inline void etx_store_some(int8_t *to, int8x16_t values, int32_t count) {
  int8_t all[ETX_STEP];
  const int8_t *from = all;
  if (count >= ETX_STEP) {
    vst1q_s8(to, values);
    return;
  }
  vst1q_s8(all, values);
#pragma GCC unroll 4
  for (int32_t size = ETX_STEP / 2; size > 0; size /= 2) {
    if (count & size) {
      __builtin_memcpy(to, from, (uint32_t)size);
      to += size;
      from += size;
    }
  }
}

/* Four accumulators scaled as by etx_multiply_by_quantized_multiplier. */
static inline int32x4_t etx_scale_four(int32x4_t acc, int32x4_t mantissa, int32x4_t shift) {
  const int32x4_t zero = vdupq_n_s32(0);
  const int32x4_t right = vminq_s32(shift, zero);
  const int32x4_t high = vqrdmulhq_s32(vshlq_s32(acc, vmaxq_s32(shift, zero)), mantissa);
  /* SRSHL rounds ties upwards; one less where that is towards zero. */
  const int32x4_t nudged = vqaddq_s32(high, vshrq_n_s32(vandq_s32(high, right), 31));
  return vrshlq_s32(nudged, right);
}

/* 16 scaled accumulators to int8: saturation on the way changes nothing that is not beyond the limits of int8 in the
 * end. */
static inline int8x16_t etx_narrow_all(const int32x4_t scaled[ETX_QUARTERS], int32_t output_offset, int32_t low,
                                       int32_t high) {
  const int16x8_t offset = vdupq_n_s16((int16_t)output_offset);
  const int16x8_t first = vqmovn_high_s32(vqmovn_s32(scaled[0]), scaled[1]);
  const int16x8_t second = vqmovn_high_s32(vqmovn_s32(scaled[2]), scaled[3]);
  const int8x16_t all = vqmovn_high_s16(vqmovn_s16(vqaddq_s16(first, offset)), vqaddq_s16(second, offset));
  return vminq_s8(vmaxq_s8(all, vdupq_n_s8((int8_t)low)), vdupq_n_s8((int8_t)high));
}
#endif

#endif
