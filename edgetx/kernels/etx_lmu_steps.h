/* The body of lmu_s8.c and lmu_s16.c, which define ETX_KERNEL and ETX_INPUT. */
#include "etx_lmu.h"

void ETX_KERNEL(const etx_lmu_params *p, const ETX_INPUT *u, const int16_t *before, const int16_t *a,
                const int32_t *b, const int32_t *shifts, int16_t *m, int16_t *after) {
  for (int32_t step = 0; step < p->steps; ++step) {
    etx_lmu_step(p, u[step] + p->input_offset, before, a, b, shifts, m);
    before = m;
    m += p->order;
  }
  for (int32_t i = 0; i < p->order; ++i) {
    after[i] = before[i];
  }
}
