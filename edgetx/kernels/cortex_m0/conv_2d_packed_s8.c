#include "etx_packed_windows.h"

void etx_conv_2d_packed_s8(const etx_convolution_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                           int32_t *scratch) {
  etx_multiply_windows(p, x, packed, y, scratch);
}
