/* From scores of attention to weights, two keys at a time. */
#ifndef ETX_ATTENTION_WEIGHTS_H
#define ETX_ATTENTION_WEIGHTS_H

#include "etx_dsp.h"
#include "etx_kernels.h"

/* From scores to weights; `most` and the least distance of a score without weight, 16 octaves, add up to INT32_MAX.
 * Distances become octaves in Q16 with what else a weight of 15 + 16 bits is shifted by. */
typedef struct {
  int32_t max;
  const int32_t *end;
  int32_t most;
  uint32_t mantissa, start;
  int32_t shift;
} etx_weighing;

#define ETX_EXP2_CUBIC (-1298)
#define ETX_EXP2_SQUARE 7580 /* one more than in edgetx/ops/attention.py: see `etx_weigh_pairs` */
#define ETX_EXP2_SLOPE 22665
#define ETX_EXP2_START 32767

/* A weight of 16 bits: 2^-octaves, to nearest. */
static inline int32_t etx_weight_of(const etx_weighing *by, int32_t score) {
  const int32_t distance = etx_subtract_saturated(by->most, score - by->max);
  const uint32_t octaves = ((uint32_t)distance * by->mantissa + by->start) >> by->shift;
  const int32_t fraction = (int32_t)(octaves & 0xFFFF), places = (int32_t)(octaves >> 16) - 16;
  const int32_t inner = etx_mac_wide(fraction, ETX_EXP2_CUBIC, ETX_EXP2_SQUARE);
  const int32_t middle = ETX_EXP2_SLOPE - etx_mul_wide(fraction, inner);
  const int32_t doubled = 2 * (ETX_EXP2_START - etx_mul_wide(fraction, middle));
  return ((doubled >> (places < 31 ? places : 31)) + 1) >> 1;
}

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

#define ETX_OF_BOTH(instruction, first, second) instruction " " first "\n" instruction " " second "\n"

/* Turns the scores of pairs of keys, at every second word, into weights that share the first word of a pair; returns
 * their sum. A negative product is rounded down to one less than the positive one, except for fractions of 0 and 1/2,
 * where it makes no difference to the weight. The last shift leaves its rounding bit in the carry. */
static uint32_t etx_weigh_pairs(const etx_weighing *by, int32_t *scores) {
  const etx_weighing kept = *by;
  register int32_t *next __asm__("r0") = scores;
  register uint32_t total __asm__("r1") = 0;
  register const etx_weighing *frame __asm__("r2") = &kept;
  register int32_t multiplier_and_shift __asm__("r5") = (int32_t)((uint32_t)ETX_EXP2_CUBIC << 16) | by->shift;
  register int32_t start_and_slope __asm__("r6") = ETX_EXP2_START << 16 | ETX_EXP2_SLOPE;
  register int32_t square __asm__("r7") = ETX_EXP2_SQUARE;
  __asm__ volatile(
      "ldm r2, {r8, r9, r10, r11, r12}\n"
      "push {r8, r9}\n"
      "mov r2, r10\n"
      "mov r3, r11\n"
      "mov r4, r12\n"
      ".balign 4\n"
      "1:\n"
      "ldr.w r8, [r0]\n"
      "ldr.w r9, [r0, #8]\n"
      "ldr.w r10, [sp]\n"
      ETX_OF_BOTH("sub.w", "r8, r8, r10", "r9, r9, r10")
      ETX_OF_BOTH("qsub", "r8, r2, r8", "r9, r2, r9")
      ETX_OF_BOTH("mla", "r8, r8, r3, r4", "r9, r9, r3, r4")
      ETX_OF_BOTH("lsr.w", "r8, r8, r5", "r9, r9, r5")
      ETX_OF_BOTH("uxth.w", "r10, r8", "r11, r9")
      ETX_OF_BOTH("lsr.w", "r8, r8, #16", "r9, r9, #16")
      ETX_OF_BOTH("smlawt", "r12, r10, r5, r7", "lr, r11, r5, r7")
      ETX_OF_BOTH("smulwb", "r12, r10, r12", "lr, r11, lr")
      ETX_OF_BOTH("ssub16", "r12, r6, r12", "lr, r6, lr") /* the slope, less in the lower lane */
      ETX_OF_BOTH("smulwb", "r12, r10, r12", "lr, r11, lr")
      ETX_OF_BOTH("ssax", "r12, r6, r12", "lr, r6, lr") /* the start, less in the upper lane */
      "lsrs r12, r12, r8\n"
      "adc r12, r12, #0\n"
      "lsrs lr, lr, r9\n"
      "adc lr, lr, #0\n"
      "add r1, r1, r12\n"
      "add r1, r1, lr\n"
      "pkhbt r12, r12, lr, lsl #16\n"
      "str r12, [r0], #16\n"
      "ldr r10, [sp, #4]\n"
      "cmp r0, r10\n"
      "bne 1b\n"
      "add sp, sp, #8\n"
      : "+r"(next), "+r"(total), "+r"(frame), "+r"(multiplier_and_shift), "+r"(start_and_slope), "+r"(square)
      :
      : "r3", "r4", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
  return total;
}

/* clang-format on */

#else

static uint32_t etx_weigh_pairs(const etx_weighing *by, int32_t *scores) {
  uint32_t total = 0;
  for (; scores != by->end; scores += 4) {
    const int32_t weight = etx_weight_of(by, scores[0]), next = etx_weight_of(by, scores[2]);
    *scores = etx_pack_low(weight, next);
    total += (uint32_t)weight + (uint32_t)next;
  }
  return total;
}

#endif

/* Turns the scores of a row into weights, where they are, and returns their sum. */
static inline uint32_t etx_weigh_keys(const etx_attention_pairs_params *p, int32_t max, int32_t *scores) {
  const int32_t most = INT32_MAX - 1 - p->difference_max;
  const uint32_t mantissa = (uint32_t)p->score_mantissa;
  const etx_weighing by = {.max = max,
                       .end = scores + 2 * (p->key_length & ~1),
                       .most = most,
                       .mantissa = mantissa,
                       .start = ((uint32_t)(p->weight_shift + 16) << (16 + p->score_shift)) - (uint32_t)most * mantissa,
                       .shift = p->score_shift};
  uint32_t total = p->key_length > 1 ? etx_weigh_pairs(&by, scores) : 0;
  if ((p->key_length & 1) != 0) {
    int32_t *const last = scores + 2 * (p->key_length - 1);
    *last = etx_weight_of(&by, *last);
    total += (uint32_t)*last;
  }
  return total;
}

#endif
