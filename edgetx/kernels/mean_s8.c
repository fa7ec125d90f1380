#include "etx_kernels.h"

void etx_mean_s8(const etx_mean_params *p, const int8_t *x, int8_t *y) {
  for (int32_t i = 0; i < p->outer; ++i) {
    for (int32_t j = 0; j < p->inner; ++j) {
      int32_t sum = p->count * p->input_offset;
      for (int32_t k = 0; k < p->count; ++k) {
        sum += x[k * p->inner + j];
      }
      y[j] = (int8_t)etx_requantize(sum, p->mantissa, p->shift, p->output_offset, INT8_MIN, INT8_MAX);
    }
    x += p->count * p->inner;
    y += p->inner;
  }
}
