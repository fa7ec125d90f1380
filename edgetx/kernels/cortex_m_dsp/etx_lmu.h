/* One step of the memory of lmu_s8.c and lmu_s16.c: two products and a 64-bit sum in one instruction. */
#ifndef ETX_LMU_H
#define ETX_LMU_H

#include "etx_dsp.h"
#include "etx_kernels.h"

static inline int64_t etx_dot_wide(int32_t a, int32_t b, int64_t sum) {
#if defined(__ARM_FEATURE_DSP)
  __asm__("smlald %Q0, %R0, %1, %2" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
#else
  return sum + (int64_t)(etx_low(a) * etx_low(b)) + etx_high(a) * etx_high(b);
#endif
}

static inline int32_t etx_load_s16x2(const int16_t *from) {
  int32_t word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

static inline void etx_lmu_step(const etx_lmu_params *p, int32_t u, const int16_t *before, const int16_t *a,
                                const int32_t *b, const int32_t *shifts, int16_t *m) {
  for (int32_t i = 0; i < p->order; ++i) {
    int64_t sum = (int64_t)u * b[i];
    int32_t j = 0;
    for (; j + 4 <= p->order; j += 4) {
      sum = etx_dot_wide(etx_load_s16x2(a + j), etx_load_s16x2(before + j), sum);
      sum = etx_dot_wide(etx_load_s16x2(a + j + 2), etx_load_s16x2(before + j + 2), sum);
    }
    for (; j < p->order; ++j) {
      sum += (int32_t)a[j] * before[j];
    }
    sum = etx_shift_half_up_s64(sum, shifts[i]);
    m[i] = (int16_t)(sum < INT16_MIN ? INT16_MIN : (sum > INT16_MAX ? INT16_MAX : sum));
    a += p->order;
  }
}

#endif
