#include "etx_kernels.h"

void etx_quantize_s16_s32(const etx_quantize_params *p, const int16_t *x, int32_t *y) {
  for (int32_t i = 0; i < p->size; ++i) {
    const int32_t scaled =
        etx_multiply_by_quantized_multiplier(x[i] + p->input_offset, p->mantissa, p->shift);
    y[i] = scaled + p->output_offset;
  }
}
