#include "etx_fixedpoint_math.h"
#include "etx_kernels.h"

static inline int32_t power(const etx_softmax_table_params *p, const int32_t *powers, int32_t difference) {
  return difference < p->entries ? powers[difference] : 0;
}

static void softmax_row(const etx_softmax_table_params *p, const int8_t *x, const int32_t *powers, int8_t *y) {
  int32_t max = x[0];
  for (int32_t i = 1; i < p->width; ++i) {
    max = x[i] > max ? x[i] : max;
  }
  uint32_t sum = 0;
  for (int32_t i = 0; i < p->width; ++i) {
    sum += ((uint32_t)power(p, powers, max - x[i]) + (1u << 11)) >> 12;
  }
  const int32_t headroom = etx_leading_zeros(sum);
  const int32_t shift = 12 - headroom + 31 - 8;
  const int32_t reciprocal =
      shift > 31 ? 0 : etx_one_over_one_plus((int32_t)((sum << headroom) - 0x80000000u));
  const uint32_t right = (uint32_t)shift & 31u, half = (1u << right) >> 1;
  for (int32_t i = 0; i < p->width; ++i) { /* nothing here is negative */
    const int64_t product = (int64_t)reciprocal * power(p, powers, max - x[i]) + (1LL << 30);
    const uint32_t result = ((uint32_t)(product >> 31) + half) >> right;
    y[i] = (int8_t)(result > 255u ? INT8_MAX : (int32_t)result + INT8_MIN);
  }
}

void etx_softmax_table_s8(const etx_softmax_table_params *params, const int8_t *x, const int32_t *powers,
                          int8_t *y) {
  const etx_softmax_table_params p = *params;
  for (int32_t row = 0; row < p.rows; ++row) {
    softmax_row(&p, x + row * p.width, powers, y + row * p.width);
  }
}
