#include <string.h>

#include "etx_kernels.h"

void etx_gather_s8(const etx_gather_params *p, const void *x, const int32_t *indices, void *y) {
  const int8_t *from = x;
  int8_t *to = y;
  for (int32_t block = 0; block < p->outer; ++block) {
    for (int32_t i = 0; i < p->count; ++i) {
      memcpy(to, from + indices[i] * p->run, (size_t)p->run);
      to += p->run;
    }
    from += p->size * p->run;
  }
}
