/* Sums of neighbours of which one operand has the larger scale, so that its factor is 1/2 and nothing of it is rounded. */
#ifndef ETX_DENSE_SUM_H
#define ETX_DENSE_SUM_H

#include "etx_fixedpoint.h"
#include "etx_kernels.h"
#include "etx_narrow_multiplier.h"

#define ETX_FINE_BITS 20

typedef struct {
  int32_t exact_offset, scaled_offset;
  etx_narrow_multiplier factor, result; /* `half` of the result holds the zero point, too */
} etx_dense_sum;

static inline int32_t etx_is_half(int32_t mantissa, int32_t shift) { return mantissa == 1 << 30 && shift == 0; }

/* Whether the first operand is the one with the larger scale. */
static inline int32_t etx_first_is_exact(const etx_add_params *p) { return etx_is_half(p->a_mantissa, p->a_shift); }

static inline int32_t etx_is_dense_sum(const etx_add_params *p) {
  const int32_t a_is_half = etx_first_is_exact(p), b_is_half = etx_is_half(p->b_mantissa, p->b_shift);
  const int32_t rounds = (a_is_half != 0 || p->a_shift < 0) && (b_is_half != 0 || p->b_shift < 0);
  return (a_is_half != 0 || b_is_half != 0) && rounds && p->left_shift == ETX_FINE_BITS && p->sign == 1 &&
         p->shift < 0 && p->shift >= -22 && p->a_steps[3] == 1 && p->b_steps[3] == 1;
}

static inline etx_dense_sum etx_dense_sum_of(const etx_add_params *p) {
  etx_dense_sum sum = {p->a_offset, p->b_offset, {0, 0, 0, 0}, {0, 0, 0, 0}};
  int32_t mantissa = p->b_mantissa, shift = p->b_shift;
  if (!etx_first_is_exact(p)) {
    sum.exact_offset = p->b_offset;
    sum.scaled_offset = p->a_offset;
    mantissa = p->a_mantissa;
    shift = p->a_shift;
  }
  /* 1/2 as a factor that does round: operands have few enough bits for it to have no effect */
  sum.factor =
      etx_is_half(mantissa, shift) ? etx_narrow_multiplier_of(INT32_MAX, -1) : etx_narrow_multiplier_of(mantissa, shift);
  sum.result = etx_narrow_multiplier_of(p->mantissa, p->shift);
  sum.result.half += p->output_offset * (1 << sum.result.shift);
  return sum;
}

static inline void etx_limit_row(const etx_add_params *p, int8_t *y) {
  if (p->low == INT8_MIN && p->high == INT8_MAX) {
    return;
  }
  for (int32_t left = p->dims[3]; left > 0; --left, ++y) {
    *y = (int8_t)etx_clamp(*y, p->low, p->high);
  }
}

#endif
