#include <string.h>

#include "etx_kernels.h"

void etx_shift_in_s8(const etx_shift_in_params *p, const void *window, const void *x, void *y) {
  const size_t kept = (size_t)(p->size - p->added);
  const size_t added = (size_t)p->added;
  for (int32_t i = 0; i < p->outer; ++i) {
    int8_t *row = (int8_t *)y + i * p->size;
    memmove(row, (const int8_t *)window + i * p->size + p->added, kept);
    memcpy(row + kept, (const int8_t *)x + i * p->added, added);
  }
}
