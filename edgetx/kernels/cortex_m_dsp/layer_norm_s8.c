#include "etx_dsp.h"
#include "etx_kernels.h"
#include "etx_root.h"

/* Results are (((x * slope + start) >> normal_shift) * gamma + beta + rest) >> output_shift. */
typedef struct {
  uint32_t slope, start;
  int32_t normal_shift;
  int32_t rest, output_shift;
} row_scaling;

static inline int32_t half(int32_t shift) { return shift == 0 ? 0 : 1 << (shift - 1); }

static row_scaling scaling_of(const etx_layer_norm_params *p, const int8_t *x) {
  const int32_t width = p->width, offset = p->input_offset, ones = 0x00010001;
  int32_t sum = 0, squares = 0;
  for (int32_t left = width; left > 0; left -= 4, x += 4) {
    const int32_t word = etx_load_bytes(x, left);
    const int32_t even = etx_extend_even(word), odd = etx_extend_odd(word);
    sum = etx_dot(even, ones, etx_dot(odd, ones, sum));
    squares = etx_dot(even, even, etx_dot(odd, odd, squares));
  }
  squares += offset * (2 * sum + width * offset);
  sum += width * offset;
  const int32_t total = p->center != 0 ? sum : 0;
  const int64_t v = (int64_t)width * squares - (int64_t)total * total;
  const etx_root root = etx_reciprocal_root_of_variance(v, p->epsilon, p->root_bits);
  const uint32_t mantissa = (uint32_t)root.mantissa;
  const int32_t normal_shift = root.exponent - p->normal_bits;
  const row_scaling by = {.slope = (uint32_t)width * mantissa,
                          .start = (uint32_t)(width * offset - total) * mantissa + (uint32_t)half(normal_shift),
                          .normal_shift = normal_shift,
                          .rest = half(p->output_shift) + p->output_offset * (1 << p->output_shift),
                          .output_shift = p->output_shift};
  return by;
}

static inline int32_t normal_of(const row_scaling *by, int32_t x) {
  return (int32_t)((uint32_t)x * by->slope + by->start) >> by->normal_shift;
}

static inline int32_t result_of(const row_scaling *by, int32_t scaled) {
  return etx_saturate_s8((scaled + by->rest) >> by->output_shift);
}

static void normalize_row(const etx_layer_norm_params *p, const int8_t *x, const int16_t *gamma,
                          const int32_t *beta, int8_t *y) {
  const row_scaling by = scaling_of(p, x);
  int32_t left = p->width;
  for (; left >= 4; left -= 4, x += 4, gamma += 4, beta += 4, y += 4) {
    const int32_t word = etx_load_s8x4(x);
    const int32_t gains = etx_load_s8x4((const int8_t *)gamma), next = etx_load_s8x4((const int8_t *)(gamma + 2));
    const int32_t a = etx_mac_low_low(normal_of(&by, (int8_t)word), gains, beta[0]);
    const int32_t b = etx_mac_low_high(normal_of(&by, (int8_t)(word >> 8)), gains, beta[1]);
    const int32_t c = etx_mac_low_low(normal_of(&by, (int8_t)(word >> 16)), next, beta[2]);
    const int32_t d = etx_mac_low_high(normal_of(&by, (int8_t)(word >> 24)), next, beta[3]);
    etx_store_s8x4(y, etx_pack_s8x4(result_of(&by, a), result_of(&by, b), result_of(&by, c), result_of(&by, d)));
  }
  for (; left > 0; --left) {
    *y++ = (int8_t)result_of(&by, normal_of(&by, *x++) * *gamma++ + *beta++);
  }
}

void etx_layer_norm_s8(const etx_layer_norm_params *p, const int8_t *x, const int16_t *gamma,
                       const int32_t *beta, int8_t *y) {
  const etx_layer_norm_params here = *p; /* next to the stack rather than in flash */
  for (int32_t row = 0; row < here.rows; ++row) {
    normalize_row(&here, x + row * here.width, gamma, beta, y + row * here.width);
  }
}
