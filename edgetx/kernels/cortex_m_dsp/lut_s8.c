#include "etx_dsp.h"
#include "etx_kernels.h"

/* `middle` is where the result of 0 stands. */
static inline uint32_t look_up(const int8_t *middle, int32_t x) { return (uint8_t)middle[(int8_t)x]; }

static inline int32_t look_up_four(const int8_t *middle, int32_t word) {
  const uint32_t a = look_up(middle, word), b = look_up(middle, word >> 8);
  const uint32_t c = look_up(middle, word >> 16), d = look_up(middle, word >> 24);
  return (int32_t)(a | b << 8 | c << 16 | d << 24);
}

void etx_lut_s8(const etx_lut_params *p, const int8_t *x, const int8_t *table, int8_t *y) {
  const int8_t *const middle = table + 128;
  int32_t left = p->size;
  for (; left >= 8; left -= 8, x += 8, y += 8) {
    const int32_t word = etx_load_s8x4(x), next = etx_load_s8x4(x + 4);
    etx_store_s8x4(y, look_up_four(middle, word));
    etx_store_s8x4(y + 4, look_up_four(middle, next));
  }
  for (; left > 0; left -= 4, x += 4, y += 4) {
    etx_store_bytes(y, look_up_four(middle, etx_load_bytes(x, left)), left);
  }
}
