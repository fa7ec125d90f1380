#include "etx_kernels.h"
#include "etx_root.h"

#define SEGMENT_BITS 9

/* log2(v) in Q16, for v in 1..2^16 - 1; the table holds it between 1 and 2, at the ends of 64 segments. */
static int32_t log2_q16(uint32_t v, const int32_t *table) {
  const int32_t whole = etx_bit_length(v) - 1;
  const int32_t fraction = (int32_t)(v << (15 - whole)) - (1 << 15);
  const int32_t *segment = table + (fraction >> SEGMENT_BITS);
  const int32_t rest = fraction & ((1 << SEGMENT_BITS) - 1);
  return (whole << 16) + segment[0] + etx_shift_half_up((segment[1] - segment[0]) * rest, SEGMENT_BITS);
}

void etx_log_s16(const etx_log_params *p, const int16_t *x, const int32_t *table, int16_t *y) {
  for (int32_t i = 0; i < p->size; ++i) {
    const int32_t halves = x[i] > 0 ? 2 * x[i] : 1;
    y[i] = (int16_t)etx_requantize(log2_q16((uint32_t)halves, table) + p->input_offset, p->mantissa, p->shift,
                                   p->output_offset, INT16_MIN, INT16_MAX);
  }
}
