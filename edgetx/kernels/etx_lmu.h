/* One step of the memory of an LMU. */
#ifndef ETX_LMU_H
#define ETX_LMU_H

#include "etx_kernels.h"

static inline void etx_lmu_step(const etx_lmu_params *p, int32_t u, const int16_t *before, const int16_t *a,
                                const int32_t *b, const int32_t *shifts, int16_t *m) {
  for (int32_t i = 0; i < p->order; ++i) {
    int64_t sum = (int64_t)u * b[i];
    for (int32_t j = 0; j < p->order; ++j) {
      sum += (int32_t)a[j] * before[j];
    }
    sum = etx_shift_half_up_s64(sum, shifts[i]);
    m[i] = (int16_t)(sum < INT16_MIN ? INT16_MIN : (sum > INT16_MAX ? INT16_MAX : sum));
    a += p->order;
  }
}

#endif
