#include "etx_kernels.h"
#include "etx_root.h"

void etx_hypot_s16(const etx_hypot_params *p, const int16_t *a, const int16_t *b, int16_t *y) {
  for (int32_t i = 0; i < p->size; ++i) {
    const uint32_t square = (uint32_t)(a[i] * a[i]) + (uint32_t)(b[i] * b[i]);
    const uint32_t root = etx_isqrt(square);
    const uint32_t nearest = root + (square - root * root > root ? 1u : 0u);
    y[i] = (int16_t)etx_clamp((int32_t)nearest, INT16_MIN, INT16_MAX);
  }
}
