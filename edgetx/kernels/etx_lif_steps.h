/* The body of lif_s8.c and lif_s16.c, which define ETX_KERNEL and ETX_INPUT. */
#include "etx_lif.h"

void ETX_KERNEL(const etx_lif_params *p, const ETX_INPUT *x, const int32_t *gain, const int32_t *shift,
                const int16_t *before, int8_t *s, int16_t *after) {
  for (int32_t step = 0; step < p->steps; ++step) {
    for (int32_t c = 0; c < p->channels; ++c) {
      const int32_t total = (x[c] + p->input_offset) * gain[c] + shift[c];
      s[c] = etx_lif_step(p, total, before[c], &after[c]);
    }
    before = after;
    x += p->channels;
    s += p->channels;
  }
}
