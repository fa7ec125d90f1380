#define ETX_RAISED 1
#include "etx_packed_rows.h"

void etx_fully_connected_raised_s8(const etx_fully_connected_params *p, const int8_t *x,
                                   const int32_t *packed, int8_t *y, int32_t *scratch) {
  const etx_rounding rounding = p->low >= p->output_offset ? ETX_ROUND_TWICE_RECTIFIED : ETX_ROUND_TWICE;
  etx_multiply_rows(p, x, packed, rounding, y, scratch);
}
