#include "etx_kernels.h"

void etx_quantize_u8_s8(const etx_quantize_params *p, const uint8_t *x, int8_t *y) {
  for (int32_t i = 0; i < p->size; ++i) {
    y[i] = (int8_t)etx_requantize(x[i] + p->input_offset, p->mantissa, p->shift, p->output_offset, INT8_MIN,
                                  INT8_MAX);
  }
}
