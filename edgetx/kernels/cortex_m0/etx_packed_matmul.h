/* Matrix product with weights packed by edgetx/plan/packing, for cores without SIMD and long
 * multiplication.
 *
 * The first word says of how many outputs the weights are copied next to the core at a time; 0: none are. Then
 * four outputs share a block of words: where the sums A, 256 * B + A, C and 256 * D + C begin; per pair of
 * inputs the weights of the first and of the last two outputs; four times etx_rescaling. Half a word of
 * weights is 256 * b + a: loading and extending it makes two weights at once.
 *
 * Where a weight is -128 half a word may not hold that. With ETX_RAISED it is 256 * b + a + 128, its low byte without
 * sign, and 128 times the sum of a row's inputs is taken off.
 */
#ifndef ETX_PACKED_MATMUL_H
#define ETX_PACKED_MATMUL_H

#include "etx_rescale.h"

#ifndef ETX_RAISED
#define ETX_RAISED 0
#endif

#define ETX_BLOCK_WORDS(inputs) (4 + (inputs) + 12)

/* The outputs of a layer whose weights are at hand. */
typedef struct {
  const int32_t *packed;
  int32_t inputs; /* a multiple of four */
  int32_t outputs;
  int32_t low;
  int32_t high;
  int32_t raised; /* 128 times the sum of the row, with ETX_RAISED */
} etx_packed_layer;

typedef struct {
  int32_t a, ab, c, cd;
} etx_sums;

#if defined(__ARM_ARCH_6M__)

#if ETX_RAISED
#define ETX_LOW_BYTE "uxtb"
#else
#define ETX_LOW_BYTE "sxtb"
#endif

/* Adds an input, r6, times the weights r3, which are lost, to the sums `mixed` and `sum`. */
#define ETX_ADD(mixed, sum) \
  ETX_LOW_BYTE " r7, r3\n"  \
  "muls r3, r6, r3\n"       \
  "add " mixed              \
  ", r3\n"                  \
  "muls r7, r6, r7\n"       \
  "add " sum ", r7\n"

#define ETX_ADD_PAIR \
  "ldm r1!, {r4, r5}\n"   \
  "ldm r0!, {r2}\n"       \
  "sxth r6, r2\n"         \
  "sxth r3, r4\n" ETX_ADD("r9", "r8") \
  "sxth r3, r5\n" ETX_ADD("r11", "r10") \
  "asrs r6, r2, #16\n"    \
  "asrs r3, r4, #16\n" ETX_ADD("r9", "r8") \
  "asrs r3, r5, #16\n" ETX_ADD("r11", "r10")

/* Adds a row times the weights of a block; returns what lies behind them. */
static inline const int32_t *etx_add_row(const int32_t *row, int32_t inputs, const int32_t *weights,
                                         etx_sums *sums) {
  register const int32_t *x __asm__("r0") = row;
  register const int32_t *w __asm__("r1") = weights;
  register int32_t a __asm__("r8") = sums->a;
  register int32_t ab __asm__("r9") = sums->ab;
  register int32_t c __asm__("r10") = sums->c;
  register int32_t cd __asm__("r11") = sums->cd;
  register const int32_t *end __asm__("r12") = row + inputs / 2;
  __asm__ volatile(
      ".syntax unified\n"
      ".balign 4\n"
      "1:\n" ETX_ADD_PAIR ETX_ADD_PAIR
      "cmp r0, r12\n"
      "bne 1b\n"
      : "+r"(x), "+r"(w), "+r"(a), "+r"(ab), "+r"(c), "+r"(cd)
      : "r"(end)
      : "r2", "r3", "r4", "r5", "r6", "r7", "cc", "memory");
  *sums = (etx_sums){a, ab, c, cd};
  return w;
}

#else

static inline int32_t etx_low_half(int32_t word) { return (int16_t)word; }
static inline int32_t etx_high_half(int32_t word) { return word >> 16; }

/* Modulo 2^32. */
static inline int32_t etx_mac(int32_t acc, int32_t a, int32_t b) {
  return (int32_t)((uint32_t)acc + (uint32_t)(a * b));
}

static inline int32_t etx_low_byte(int32_t w) { return ETX_RAISED ? w & 0xFF : (int8_t)w; }

static inline void etx_add_pair(int32_t x, int32_t w, int32_t *sum, int32_t *mixed) {
  *mixed = etx_mac(*mixed, etx_low_half(x), etx_low_half(w));
  *mixed = etx_mac(*mixed, etx_high_half(x), etx_high_half(w));
  *sum = etx_mac(*sum, etx_low_half(x), etx_low_byte(w));
  *sum = etx_mac(*sum, etx_high_half(x), etx_low_byte(w >> 16));
}

static inline const int32_t *etx_add_row(const int32_t *row, int32_t inputs, const int32_t *weights,
                                         etx_sums *sums) {
  for (int32_t i = 0; i < inputs / 2; ++i) {
    etx_add_pair(row[i], weights[2 * i], &sums->a, &sums->ab);
    etx_add_pair(row[i], weights[2 * i + 1], &sums->c, &sums->cd);
  }
  return weights + inputs;
}

#endif

/* What the sum of two outputs holds of the second. */
static inline int32_t etx_difference(int32_t ab, int32_t a) {
  return (int32_t)((uint32_t)ab - (uint32_t)a) >> 8;
}

/* Where a sum begins. */
static inline int32_t etx_lowered(int32_t start, const etx_packed_layer *layer) {
  return ETX_RAISED ? (int32_t)((uint32_t)start - (uint32_t)layer->raised) : start;
}

/* Notes the sum of a row, as etx_expand_row leaves it. */
static inline void etx_raise_row(etx_packed_layer *layer, const int32_t *x) {
  if (ETX_RAISED) {
    const int16_t *const inputs = (const int16_t *)x;
    int32_t sum = 0;
    for (int32_t i = 0; i < layer->inputs; ++i) {
      sum += inputs[i];
    }
    layer->raised = 128 * sum;
  }
}

typedef int32_t etx_rescaler(int32_t sum, const etx_rescaling *by);

/* One row, as etx_expand_row leaves it. */
static inline void etx_multiply_row(const etx_packed_layer *layer, const int32_t *x, etx_rescaler *rescale,
                                    int8_t *y) {
  const int32_t *w = layer->packed;
  for (int32_t left = layer->outputs; left > 0; left -= 4) {
    etx_sums sums = {etx_lowered(w[0], layer), etx_lowered(w[1], layer), etx_lowered(w[2], layer),
                     etx_lowered(w[3], layer)};
    w = etx_add_row(x, layer->inputs, w + 4, &sums);
    const etx_rescaling *by = (const etx_rescaling *)w;
    const int32_t all[4] = {sums.a, etx_difference(sums.ab, sums.a), sums.c, etx_difference(sums.cd, sums.c)};
    for (int32_t i = 0; i < 4 && i < left; ++i) {
      *y++ = (int8_t)etx_clamp(rescale(all[i], by + i), layer->low, layer->high);
    }
    w += 12;
  }
}

/* A row of int8 as pairs of int16: bytes 0 and 2, then 1 and 3 of each four; zeros behind it. */
static inline void etx_expand_row(const int8_t *row, int32_t size, int32_t *x) {
  int16_t *to = (int16_t *)x;
  for (; size >= 4; size -= 4, row += 4, to += 4) {
    to[0] = row[0];
    to[1] = row[2];
    to[2] = row[1];
    to[3] = row[3];
  }
  if (size > 0) {
    to[0] = row[0];
    to[1] = size > 2 ? row[2] : 0;
    to[2] = size > 1 ? row[1] : 0;
    to[3] = 0;
  }
}

#endif
