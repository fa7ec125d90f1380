#include "etx_kernels.h"

void etx_quantize_s8_u8(const etx_quantize_params *p, const int8_t *x, uint8_t *y) {
  for (int32_t i = 0; i < p->size; ++i) {
    y[i] = (uint8_t)etx_requantize(x[i] + p->input_offset, p->mantissa, p->shift, p->output_offset, 0,
                                   UINT8_MAX);
  }
}
