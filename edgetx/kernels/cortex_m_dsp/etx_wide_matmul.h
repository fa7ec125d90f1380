/* Matrix product of int16 rows with int8 weights packed by edgetx/plan/packing.
 *
 * Two outputs share a block of words, one after the other for every four inputs, whose bytes are in the order 0, 2, 1, 3:
 * extended, a word gives the weights of two pairs of inputs. Sums without the bias fit into 32 bits.
 */
#ifndef ETX_WIDE_MATMUL_H
#define ETX_WIDE_MATMUL_H

#include "etx_dsp.h"
#include "etx_kernels.h"

typedef struct {
  const int32_t *packed;
  const int64_t *bias;
  const int32_t *mantissas, *shifts;
  int32_t inputs; /* a multiple of four */
  int32_t outputs;
  int32_t low, high;
} etx_wide_layer;

typedef struct {
  int32_t a, b, a_below, b_below;
} etx_wide_sums;

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

#define ETX_ADD_WIDE_PAIRS          \
  "smlad r6, r10, r12, r6\n"        \
  "smlad r7, r10, lr, r7\n"         \
  "smlad r8, r11, r12, r8\n"        \
  "smlad r9, r11, lr, r9\n"

#define ETX_ADD_FOUR_WIDE_INPUTS    \
  "ldr r4, [r2], #4\n"              \
  "ldr r5, [r2], #4\n"              \
  "ldr r10, [r0], #4\n"             \
  "ldr r11, [r1], #4\n"             \
  "sxtb16 r12, r4\n"                \
  "sxtb16 lr, r5\n"                 \
  ETX_ADD_WIDE_PAIRS                \
  "ldr r10, [r0], #4\n"             \
  "ldr r11, [r1], #4\n"             \
  "sxtb16 r12, r4, ror #8\n"        \
  "sxtb16 lr, r5, ror #8\n"         \
  ETX_ADD_WIDE_PAIRS

static inline const int32_t *etx_add_wide_rows(const int16_t *x, const int16_t *x_below, int32_t inputs,
                                               const int32_t *weights, etx_wide_sums *sums) {
  register const int16_t *row __asm__("r0") = x;
  register const int16_t *below __asm__("r1") = x_below;
  register const int32_t *w __asm__("r2") = weights;
  register const int16_t *end __asm__("r3") = x + inputs;
  register int32_t a __asm__("r6") = 0;
  register int32_t b __asm__("r7") = 0;
  register int32_t a_below __asm__("r8") = 0;
  register int32_t b_below __asm__("r9") = 0;
  __asm__ volatile(
      "subs r4, r3, r0\n"
      "tst r4, #8\n"
      "beq 1f\n"
      ETX_ADD_FOUR_WIDE_INPUTS
      "cmp r0, r3\n"
      "beq 2f\n"
      ".balign 4\n"
      "1:\n"
      ETX_ADD_FOUR_WIDE_INPUTS
      ETX_ADD_FOUR_WIDE_INPUTS
      "cmp r0, r3\n"
      "bne 1b\n"
      "2:\n"
      : "+r"(row), "+r"(below), "+r"(w), "+r"(a), "+r"(b), "+r"(a_below), "+r"(b_below)
      : "r"(end)
      : "r4", "r5", "r10", "r11", "r12", "lr", "cc", "memory");
  *sums = (etx_wide_sums){a, b, a_below, b_below};
  return w;
}

/* clang-format on */

#else

static inline int32_t etx_load_s16x2(const int16_t *from) {
  int32_t word;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

static inline const int32_t *etx_add_wide_rows(const int16_t *x, const int16_t *below, int32_t inputs, const int32_t *w,
                                               etx_wide_sums *sums) {
  etx_wide_sums all = {0, 0, 0, 0};
  for (const int16_t *const end = x + inputs; x != end; x += 4, below += 4, w += 2) {
    const int32_t first = etx_load_s16x2(x), second = etx_load_s16x2(x + 2);
    const int32_t first_below = etx_load_s16x2(below), second_below = etx_load_s16x2(below + 2);
    const int32_t a = etx_extend_even(w[0]), a_next = etx_extend_odd(w[0]);
    all.a = etx_dot(first, a, all.a);
    all.a_below = etx_dot(first_below, a, all.a_below);
    all.a = etx_dot(second, a_next, all.a);
    all.a_below = etx_dot(second_below, a_next, all.a_below);
    const int32_t b = etx_extend_even(w[1]), b_next = etx_extend_odd(w[1]);
    all.b = etx_dot(first, b, all.b);
    all.b_below = etx_dot(first_below, b, all.b_below);
    all.b = etx_dot(second, b_next, all.b);
    all.b_below = etx_dot(second_below, b_next, all.b_below);
  }
  *sums = all;
  return w;
}

#endif

static inline int16_t etx_wide_result(const etx_wide_layer *layer, int32_t output, int32_t sum) {
  const int64_t acc = layer->bias[output] + sum;
  const int32_t scaled =
      etx_multiply_by_quantized_multiplier_s64(acc, layer->mantissas[output], layer->shifts[output]);
  return (int16_t)etx_clamp(scaled, layer->low, layer->high);
}

/* Two rows, which may be the same; results of the first are stored last. */
static inline void etx_multiply_wide_rows(const etx_wide_layer *layer, const int16_t *x, const int16_t *below, int16_t *y,
                                          int16_t *y_below) {
  const int32_t *w = layer->packed;
  for (int32_t output = 0; output < layer->outputs; output += 2) {
    etx_wide_sums sums;
    w = etx_add_wide_rows(x, below, layer->inputs, w, &sums);
    y_below[output] = etx_wide_result(layer, output, sums.a_below);
    y[output] = etx_wide_result(layer, output, sums.a);
    if (output + 1 < layer->outputs) {
      y_below[output + 1] = etx_wide_result(layer, output + 1, sums.b_below);
      y[output + 1] = etx_wide_result(layer, output + 1, sums.b);
    }
  }
}

#endif
