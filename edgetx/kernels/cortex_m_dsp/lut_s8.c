#include "etx_dsp.h"
#include "etx_kernels.h"

static inline int32_t look_up(const int8_t *table, int32_t index) { return table[index & 0xFF]; }

void etx_lut_s8(const etx_lut_params *p, const int8_t *x, const int8_t *table, int8_t *y) {
  for (int32_t left = p->size; left > 0; left -= 4, x += 4, y += 4) {
    const int32_t word = etx_load_bytes(x, left) ^ (int32_t)0x80808080; /* from 0 upwards */
    const int32_t a = look_up(table, word), b = look_up(table, word >> 8);
    const int32_t c = look_up(table, word >> 16), d = look_up(table, word >> 24);
    etx_store_bytes(y, etx_pack_s8x4(a, b, c, d), left);
  }
}
