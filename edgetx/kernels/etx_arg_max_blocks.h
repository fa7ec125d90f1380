/* The body of arg_max_s8.c and arg_max_s16.c, which define ETX_KERNEL and ETX_ELEMENT. */
#include "etx_kernels.h"

void ETX_KERNEL(const etx_arg_max_params *p, const ETX_ELEMENT *x, int16_t *y) {
  for (int32_t block = 0; block < p->outer; ++block) {
    for (int32_t i = 0; i < p->inner; ++i) {
      int32_t largest = 0;
      for (int32_t j = 1; j < p->count; ++j) {
        largest = x[j * p->inner + i] > x[largest * p->inner + i] ? j : largest;
      }
      y[i] = (int16_t)largest;
    }
    x += p->count * p->inner;
    y += p->inner;
  }
}
