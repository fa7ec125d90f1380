#include <string.h>

#include "etx_kernels.h"

void etx_lookup_s8(const etx_lookup_params *p, const void *table, const int16_t *index, void *y) {
  const int8_t *from = table;
  int8_t *to = y;
  for (int32_t i = 0; i < p->count; ++i) {
    int32_t row = index[i];
    row = row < 0 ? row + p->wrap : row;
    row = row < 0 ? 0 : row;
    row = row < p->rows ? row : p->rows - 1;
    memcpy(to, from + row * p->run, (size_t)p->run);
    to += p->run;
  }
}
