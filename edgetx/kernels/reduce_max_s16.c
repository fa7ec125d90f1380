#include "etx_kernels.h"

void etx_reduce_max_s16(const etx_reduce_max_params *p, const int16_t *x, int16_t *y) {
  for (int32_t block = 0; block < p->outer; ++block) {
    for (int32_t i = 0; i < p->inner; ++i) {
      int16_t largest = x[i];
      for (int32_t j = 1; j < p->count; ++j) {
        const int16_t element = x[j * p->inner + i];
        largest = element > largest ? element : largest;
      }
      y[i] = largest;
    }
    x += p->count * p->inner;
    y += p->inner;
  }
}
