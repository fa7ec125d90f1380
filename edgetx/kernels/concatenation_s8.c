#include <string.h>

#include "etx_kernels.h"

void etx_concatenation_s8(const etx_concatenation_params *p, const void *const *operands, void *y) {
  const int32_t *sizes = (const int32_t *)operands[0];
  int8_t *end = (int8_t *)y;
  for (int32_t i = 0; i < p->outer; ++i) {
    for (int32_t k = 0; k < p->count; ++k) {
      memcpy(end, (const int8_t *)operands[k + 1] + i * sizes[k], (size_t)sizes[k]);
      end += sizes[k];
    }
  }
}
