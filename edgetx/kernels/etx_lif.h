/* One step of one neuron. */
#ifndef ETX_LIF_H
#define ETX_LIF_H

#include "etx_kernels.h"

enum { ETX_SPIKE = 64, ETX_LIF_LEAK_BITS = 14 };

/* Whether the neuron fires, from its input in units of gain; `after` is its membrane. */
static inline int8_t etx_lif_step(const etx_lif_params *p, int32_t total, int32_t before, int16_t *after) {
  const int32_t current = etx_clamp(etx_shift_half_up(total, p->gain_bits), -p->current_max, p->current_max);
  const int32_t moved = before + etx_shift_half_up((current - before) * p->leak, ETX_LIF_LEAK_BITS);
  const int32_t v = moved < INT16_MIN ? INT16_MIN : moved;
  const int32_t fired = v >= p->threshold;
  *after = (int16_t)(fired != 0 ? 0 : v);
  return (int8_t)(fired != 0 ? ETX_SPIKE : 0);
}

#endif
