/* Sums of values of attention, two keys times two rows of weights at a time. */
#ifndef ETX_ATTENTION_VALUES_H
#define ETX_ATTENTION_VALUES_H

#include "etx_dsp.h"

/* Of a row of results in four columns. */
typedef struct {
  int32_t a, b, c, d;
} etx_sums_of_four;

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

#define ETX_ADD_COLUMN(extend, above, below)        \
  extend "\n"                                   \
  "smlad " above ", lr, r10, " above "\n"       \
  "smlad " below ", lr, r11, " below "\n"

#define ETX_ADD_PAIR_OF_VALUES                                     \
  "ldr r11, [r1, #4]\n"                              \
  "ldr r10, [r1], #16\n"                             \
  "ldr r12, [r0], #4\n"                              \
  ETX_ADD_COLUMN("sxtb16 lr, r12", "r2", "r6")           \
  ETX_ADD_COLUMN("sxtb16 lr, r12, ror #8", "r3", "r7")   \
  "ldr r12, [r0], #4\n"                              \
  ETX_ADD_COLUMN("sxtb16 lr, r12", "r4", "r8")           \
  ETX_ADD_COLUMN("sxtb16 lr, r12, ror #8", "r5", "r9")

/* Sums of four columns of pairs of keys, at least one, as etx_interleave_values leaves them, for both rows of weights. */
static inline void etx_sum_values(const int32_t *values, const int32_t *weights, const int32_t *end, etx_sums_of_four *to) {
  register const int32_t *v __asm__("r0") = values;
  register const int32_t *w __asm__("r1") = weights;
  register int32_t a __asm__("r2") = (int32_t)(intptr_t)end;
  register int32_t b __asm__("r3") = 0;
  register int32_t c __asm__("r4") = 0;
  register int32_t d __asm__("r5") = 0;
  register int32_t a_below __asm__("r6") = 0;
  register int32_t b_below __asm__("r7") = 0;
  register int32_t c_below __asm__("r8") = 0;
  register int32_t d_below __asm__("r9") = 0;
  __asm__ volatile(
      "push {r2}\n" /* the loop needs all registers */
      "subs r2, r2, r1\n"
      "tst r2, #16\n"
      "mov.w r2, #0\n"
      "beq 1f\n"
      ETX_ADD_PAIR_OF_VALUES
      "ldr r10, [sp]\n"
      "cmp r1, r10\n"
      "beq 2f\n"
      ".balign 4\n"
      "1:\n"
      ETX_ADD_PAIR_OF_VALUES
      ETX_ADD_PAIR_OF_VALUES
      "ldr r10, [sp]\n"
      "cmp r1, r10\n"
      "bne 1b\n"
      "2:\n"
      "pop {r10}\n"
      : "+r"(v), "+r"(w), "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(a_below), "+r"(b_below), "+r"(c_below), "+r"(d_below)
      :
      : "r10", "r11", "r12", "lr", "cc", "memory");
  to[0] = (etx_sums_of_four){a, b, c, d};
  to[1] = (etx_sums_of_four){a_below, b_below, c_below, d_below};
}

/* clang-format on */

#else

static inline void etx_add_values(const int32_t *values, int32_t weight, etx_sums_of_four *to) {
  to->a = etx_dot(etx_extend_even(values[0]), weight, to->a);
  to->b = etx_dot(etx_extend_odd(values[0]), weight, to->b);
  to->c = etx_dot(etx_extend_even(values[1]), weight, to->c);
  to->d = etx_dot(etx_extend_odd(values[1]), weight, to->d);
}

static inline void etx_sum_values(const int32_t *values, const int32_t *weights, const int32_t *end, etx_sums_of_four *to) {
  to[0] = to[1] = (etx_sums_of_four){0, 0, 0, 0};
  for (; weights != end; weights += 4, values += 2) {
    etx_add_values(values, weights[0], to);
    etx_add_values(values, weights[1], to + 1);
  }
}

#endif

static inline void etx_interleave_pair(int32_t above, int32_t below, int32_t *to) {
  to[0] = etx_pack_low(above, below);
  to[1] = etx_pack_high(above, below);
}

/* Up to four columns of v, two words to a pair of keys: two columns of both keys in each. Zeros fill up. */
static int32_t *etx_interleave_values(const int8_t *v, int32_t stride, int32_t keys, int32_t columns, int32_t *to) {
  int32_t left = keys;
  for (; columns >= 4 && left > 1; left -= 2, v += 2 * stride, to += 2) {
    etx_interleave_pair(etx_load_s8x4(v), etx_load_s8x4(v + stride), to);
  }
  for (; left > 0; left -= 2, v += 2 * stride, to += 2) {
    etx_interleave_pair(etx_load_bytes(v, columns), left > 1 ? etx_load_bytes(v + stride, columns) : 0, to);
  }
  return to;
}

#endif
