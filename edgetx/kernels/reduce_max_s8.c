#include "etx_kernels.h"

void etx_reduce_max_s8(const etx_reduce_max_params *p, const int8_t *x, int8_t *y) {
  for (int32_t block = 0; block < p->outer; ++block) {
    for (int32_t i = 0; i < p->inner; ++i) {
      int8_t largest = x[i];
      for (int32_t j = 1; j < p->count; ++j) {
        const int8_t element = x[j * p->inner + i];
        largest = element > largest ? element : largest;
      }
      y[i] = largest;
    }
    x += p->count * p->inner;
    y += p->inner;
  }
}
