#include "etx_lmu.h"

void etx_lmu_s8(const etx_lmu_params *p, const int8_t *u, const int16_t *before, const int16_t *a,
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
