/* The body of linear_recurrence_s8.c and linear_recurrence_s16.c, which define ETX_KERNEL and ETX_INPUT. */
#include "etx_kernels.h"

void ETX_KERNEL(const etx_linear_recurrence_params *p, const int16_t *decay, const ETX_INPUT *x,
                const int16_t *before, int16_t *s, int16_t *after) {
  for (int32_t step = 0; step < p->steps; ++step) {
    for (int32_t i = 0; i < p->size; i += p->repeats) {
      const int32_t rate = *decay++;
      for (int32_t j = i; j < i + p->repeats; ++j) {
        const int32_t sum = rate * before[j] + (x[j] + p->input_offset) * p->drive;
        s[j] = (int16_t)etx_clamp(etx_shift_half_up(sum, 15), INT16_MIN, INT16_MAX);
      }
    }
    before = s;
    x += p->size;
    s += p->size;
  }
  for (int32_t i = 0; i < p->size; ++i) {
    after[i] = before[i];
  }
}
