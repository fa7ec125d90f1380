#include "etx_kernels.h"

void etx_quantize_s16_s16(const etx_quantize_params *p, const int16_t *x, int16_t *y) {
  for (int32_t i = 0; i < p->size; ++i) {
    y[i] = (int16_t)etx_requantize(x[i] + p->input_offset, p->mantissa, p->shift, p->output_offset, INT16_MIN,
                                   INT16_MAX);
  }
}
