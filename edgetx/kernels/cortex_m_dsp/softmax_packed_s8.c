#include "etx_dsp.h"
#include "etx_fixedpoint_math.h"
#include "etx_kernels.h"

/* Differences from the maximum index the table as unsigned bytes. */
static inline uint32_t power_of(const int32_t *powers, int32_t differences, int32_t place) {
  return (uint32_t)powers[(uint8_t)((uint32_t)differences >> (8 * place))];
}

static int32_t largest(const int8_t *x, int32_t width) {
  int32_t four = etx_repeat_s8(INT8_MIN);
  for (; width >= 4; width -= 4, x += 4) {
    four = etx_max_s8x4(four, etx_load_s8x4(x));
  }
  four = etx_max_s8x4(four, (int32_t)((uint32_t)four << 16 | (uint32_t)four >> 16));
  int32_t max = (int8_t)four > (int8_t)((uint32_t)four >> 8) ? (int8_t)four : (int8_t)((uint32_t)four >> 8);
  for (int32_t i = 0; i < width; ++i) {
    max = x[i] > max ? x[i] : max;
  }
  return max;
}

static inline uint32_t in_sum(uint32_t power) { return (power + (1u << 11)) >> 12; }

static uint32_t sum_of(const int8_t *x, int32_t width, int32_t max, const int32_t *powers) {
  uint32_t sum = 0;
  for (; width >= 4; width -= 4, x += 4) {
    const int32_t differences = etx_subtract_u8x4(max, etx_load_s8x4(x));
    sum += in_sum(power_of(powers, differences, 0)) + in_sum(power_of(powers, differences, 1));
    sum += in_sum(power_of(powers, differences, 2)) + in_sum(power_of(powers, differences, 3));
  }
  const int32_t differences = etx_subtract_u8x4(max, width > 0 ? etx_load_bytes(x, width) : 0);
  for (int32_t i = 0; i < width; ++i) {
    sum += in_sum(power_of(powers, differences, i));
  }
  return sum;
}

/* From powers to results, none of which is negative. */
typedef struct {
  uint32_t doubled; /* one over the sum */
  uint32_t half, right;
} normalization;

static normalization normalization_of(uint32_t sum) {
  const int32_t headroom = etx_leading_zeros(sum), shift = 12 - headroom + 31 - 8;
  const uint32_t right = (uint32_t)shift & 31u;
  const int32_t reciprocal = shift > 31 ? 0 : etx_one_over_one_plus((int32_t)((sum << headroom) - 0x80000000u));
  return (normalization){2u * (uint32_t)reciprocal, (1u << right) >> 1, right};
}

static inline int32_t result(const normalization *by, uint32_t power) {
  const uint64_t start = (uint64_t)by->half << 32 | 0x80000000u;
  const uint32_t rounded = (uint32_t)((start + (uint64_t)by->doubled * power) >> 32) >> by->right;
  return rounded > 255u ? 255 : (int32_t)rounded;
}

static inline int32_t results(const normalization *by, const int32_t *powers, int32_t differences) {
  const uint32_t a = power_of(powers, differences, 0), b = power_of(powers, differences, 1);
  const uint32_t c = power_of(powers, differences, 2), d = power_of(powers, differences, 3);
  return etx_pack_s8x4(result(by, a), result(by, b), result(by, c), result(by, d)) ^ (int32_t)0x80808080;
}

static void softmax_row(const int8_t *x, int32_t width, const int32_t *powers, int8_t *y) {
  const int32_t max = etx_repeat_s8(largest(x, width));
  const normalization by = normalization_of(sum_of(x, width, max, powers));
  for (; width >= 4; width -= 4, x += 4, y += 4) {
    etx_store_s8x4(y, results(&by, powers, etx_subtract_u8x4(max, etx_load_s8x4(x))));
  }
  if (width > 0) {
    etx_store_bytes(y, results(&by, powers, etx_subtract_u8x4(max, etx_load_bytes(x, width))), width);
  }
}

void etx_softmax_packed_s8(const etx_softmax_table_params *p, const int8_t *x, const int32_t *powers, int8_t *y) {
  const int32_t width = p->width;
  for (int32_t left = p->rows; left > 0; --left, x += width, y += width) {
    softmax_row(x, width, powers, y);
  }
}
