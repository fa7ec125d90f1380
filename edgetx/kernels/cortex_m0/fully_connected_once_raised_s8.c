#define ETX_RAISED 1
#include "etx_packed_rows.h"

void etx_fully_connected_once_raised_s8(const etx_fully_connected_params *p, const int8_t *x,
                                        const int32_t *packed, int8_t *y, int32_t *scratch) {
  etx_multiply_rows(p, x, packed, etx_rescale_once, y, scratch);
}
