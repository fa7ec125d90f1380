/* Matrix product with weights packed by edgetx/plan/packing.
 *
 * The first word says of how many outputs the weights are copied next to the core at a time; 0: none are. Then
 * four outputs share a block of words: where the sums A, 256 * B + A, C and 256 * D + C begin; per pair of
 * inputs the weights of the first and of the last two outputs; four times etx_rescaling. A 16-bit lane of
 * weights is 256 * b + a. Multiplied as it is, it adds to 256 * B + A; its low byte, extended, to A: only
 * half of the weights are ever extended.
 *
 * Where a weight is -128 a lane may not hold that. With ETX_RAISED lanes are 256 * b + a + 128, their low bytes without
 * sign, and 128 times the sum of a row's inputs is taken off.
 */
#ifndef ETX_PACKED_MATMUL_H
#define ETX_PACKED_MATMUL_H

#include <stddef.h>

#ifndef ETX_RAISED
#define ETX_RAISED 0
#endif

/* What makes 16 bits of a low byte in etx_add_pairs.h. */
#if ETX_RAISED
#define ETX_LOW_BYTES "uxtb16"
#else
#define ETX_LOW_BYTES "sxtb16"
#endif

#include "etx_add_pairs.h"
#include "etx_dsp.h"
#include "etx_rescale.h"

#define ETX_BLOCK_WORDS(inputs) (4 + (inputs) + 12)

/* How sums become results; negative ones that get cut off need not round as the others do. */
typedef enum { ETX_ROUND_TWICE, ETX_ROUND_TWICE_RECTIFIED, ETX_ROUND_ONCE } etx_rounding;

/* The outputs of a layer whose weights are at hand. */
typedef struct {
  const int32_t *packed;
  int32_t inputs; /* a multiple of four */
  int32_t outputs;
  int32_t y_step; /* between rows of results */
  etx_limits limits;
  etx_rounding rounding;
  int32_t raised[2]; /* 128 times the sums of both rows, with ETX_RAISED */
} etx_packed_layer;

/* 128 times the sum of a row of pairs, at every word or every second one. */
static inline int32_t etx_raised(const int32_t *pairs, int32_t inputs, int32_t step) {
  int32_t sum = 0;
  for (const int32_t *const end = pairs + inputs / 2 * step; pairs != end; pairs += step) {
    sum = etx_dot(*pairs, 0x00800080, sum);
  }
  return sum;
}

/* Notes the sums of two rows, as etx_expand_two_rows leaves them. */
static inline void etx_raise_two_rows(etx_packed_layer *layer, const int32_t *x) {
  if (ETX_RAISED) {
    layer->raised[0] = etx_raised(x, layer->inputs, 2);
    layer->raised[1] = etx_raised(x + 1, layer->inputs, 2);
  }
}

typedef struct {
  int32_t a, ab, c, cd;
} etx_sums;

static inline int32_t etx_lowered(int32_t start, int32_t raised) {
  return ETX_RAISED ? (int32_t)((uint32_t)start - (uint32_t)raised) : start;
}

/* Where the sums of a block begin. */
static inline etx_sums etx_starts(const int32_t *w, int32_t raised) {
  return (etx_sums){etx_lowered(w[0], raised), etx_lowered(w[1], raised), etx_lowered(w[2], raised),
                    etx_lowered(w[3], raised)};
}

static inline int32_t etx_doubled_difference(int32_t ab, int32_t a) {
  return (int32_t)((uint32_t)ab - (uint32_t)a) >> 7;
}

static inline __attribute__((always_inline)) int32_t etx_result(int32_t doubled, const etx_rescaling *by,
                                                                etx_rounding rounding) {
  return rounding == ETX_ROUND_ONCE ? etx_rescale_doubled_once(doubled, by) : etx_rescale_doubled(doubled, by);
}

static inline int32_t etx_results(const etx_sums *sums, const int32_t *rescaling, etx_rounding rounding) {
  const etx_rescaling *by = (const etx_rescaling *)rescaling;
  const int32_t a = etx_result(2 * sums->a, by, rounding);
  const int32_t b = etx_result(etx_doubled_difference(sums->ab, sums->a), by + 1, rounding);
  const int32_t c = etx_result(2 * sums->c, by + 2, rounding);
  const int32_t d = etx_result(etx_doubled_difference(sums->cd, sums->c), by + 3, rounding);
  return etx_pack_s8x4(a, b, c, d);
}

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

/* Makes of a sum and a mixed one the doubled sums of two outputs. */
#define ETX_SPLIT(sum, mixed)                 \
  "sub " mixed ", " mixed ", " sum "\n"       \
  "asr " mixed ", " mixed ", #7\n"            \
  "lsl " sum ", " sum ", #1\n"

/* Rescales two doubled sums by the next mantissa, rounding term and shift. */
#define ETX_BEGIN_RESCALE(first, second) \
  "ldm r1!, {r2, r3, r4}\n"              \
  "smmlar r0, " first ", r2, r3\n"       \
  "smmlar r5, " second ", r2, r3\n"

#define ETX_END_RESCALE(first, second) \
  "asr r0, r0, r4\n"                   \
  "asr r5, r5, r4\n"                   \
  "ssat " first ", #8, r0\n"           \
  "ssat " second ", #8, r5\n"

#define ETX_RESCALE(first, second)          \
  ETX_BEGIN_RESCALE(first, second)          \
  "add r0, r0, " first ", asr #31\n"        \
  "add r5, r5, " second ", asr #31\n"       \
  ETX_END_RESCALE(first, second)

/* The same where negative results are cut off, so that it does not matter how their ties round. */
#define ETX_RESCALE_RECTIFIED(first, second) ETX_BEGIN_RESCALE(first, second) ETX_END_RESCALE(first, second)

/* Rounded only once. */
#define ETX_RESCALE_ONCE(first, second)  \
  "ldm r1!, {r2, r3, r4}\n"             \
  "smmla r0, " first ", r2, r3\n"       \
  "smmla r5, " second ", r2, r3\n"      \
  ETX_END_RESCALE(first, second)

/* Four bytes in a word, in a. */
#define ETX_PACK(a, b, c, d)               \
  "pkhbt " a ", " a ", " c ", lsl #16\n"   \
  "pkhbt " b ", " b ", " d ", lsl #16\n"   \
  "uxtb16 " a ", " a "\n"                  \
  "uxtb16 " b ", " b "\n"                  \
  "orr " a ", " a ", " b ", lsl #8\n"

#define ETX_LIMIT(results)               \
  "ssub8 r7, " results ", r5\n"          \
  "sel " results ", " results ", r5\n"   \
  "ssub8 r7, r8, " results "\n"          \
  "sel " results ", " results ", r8\n"

#if ETX_RAISED
#define ETX_KEEP_RAISED "ldrd r4, r5, [r3, %[raised]]\n" "push {r4, r5}\n"
#define ETX_LOWER                                                  \
  "ldrd r3, r4, [sp, %[raised]]\n"                                 \
  "sub r6, r6, r3\n" "sub r7, r7, r3\n" "sub r8, r8, r3\n"         \
  "sub r9, r9, r3\n" "sub r10, r10, r4\n" "sub r11, r11, r4\n"     \
  "sub r12, r12, r4\n" "sub lr, lr, r4\n"
#else
#define ETX_KEEP_RAISED ""
#define ETX_LOWER ""
#endif

/* What the loops keep on the stack: they need all registers. */
typedef struct {
  const int32_t *x, *end_of_eights, *end; /* behind the last eight pairs of inputs, and behind the last two */
  int32_t rounding, limited, y_step, left;
  int8_t *y;
  int32_t low, high;
#if ETX_RAISED
  int32_t raised[2];
#endif
} etx_two_rows;

/* Two rows that lie in turn in x, as etx_expand_two_rows leaves them; results of the first are stored last. */
static inline void etx_multiply_two_rows(const etx_packed_layer *layer, const int32_t *x, int8_t *y) {
  const etx_two_rows rows = {.x = x,
                             .end_of_eights = x + (layer->inputs & ~15),
                             .end = x + layer->inputs,
                             .rounding = (int32_t)layer->rounding,
                             .limited = layer->limits.any,
                             .y_step = layer->y_step,
                             .left = layer->outputs,
                             .y = y,
                             .low = layer->limits.low,
#if ETX_RAISED
                             .raised = {layer->raised[0], layer->raised[1]},
#endif
                             .high = layer->limits.high};
  register const int32_t *w __asm__("r1") = layer->packed;
  register const etx_two_rows *frame __asm__("r3") = &rows;
  __asm__ volatile(
      ETX_KEEP_RAISED
      "ldm r3, {r3, r4, r5, r6, r7, r8, r9, r10, r11, r12}\n"
      "push {r3, r4, r5, r6, r7, r8, r9, r10, r11, r12}\n"
      ".balign 4\n"
      "0:\n" /* four outputs */
      "ldr r0, [sp, %[x]]\n"
      "ldr r2, [sp, %[end_of_eights]]\n"
      "ldm r1!, {r6, r7, r8, r9}\n"
      "mov r10, r6\n"
      "mov r11, r7\n"
      "mov r12, r8\n"
      "mov lr, r9\n"
      ETX_LOWER
      "cmp r0, r2\n"
      "beq 2f\n"
      ".balign 4\n"
      "1:\n"
      ETX_ADD_EIGHT_PAIRS
      "ldr r2, [sp, %[end_of_eights]]\n"
      "cmp r0, r2\n"
      "bne 1b\n"
      "2:\n"
      "ldr r2, [sp, %[end]]\n"
      "ldr r3, [sp, %[rounding]]\n"
      "cmp r0, r2\n"
      "bne 3f\n"
      "4:\n"
      ETX_SPLIT("r6", "r7") ETX_SPLIT("r8", "r9") ETX_SPLIT("r10", "r11") ETX_SPLIT("r12", "lr")
      "cmp r3, %[rectified]\n"
      "blt 10f\n"
      "bgt 11f\n"
      ETX_RESCALE_RECTIFIED("r6", "r10") ETX_RESCALE_RECTIFIED("r7", "r11")
      ETX_RESCALE_RECTIFIED("r8", "r12") ETX_RESCALE_RECTIFIED("r9", "lr")
      "5:\n"
      ETX_PACK("r6", "r7", "r8", "r9") ETX_PACK("r10", "r11", "r12", "lr")
      "ldr r0, [sp, %[limited]]\n"
      "ldr r2, [sp, %[y_step]]\n" /* distance of the rows */
      "ldr r3, [sp, %[left]]\n"
      "ldr r4, [sp, %[y]]\n"
      "cmp r0, #0\n"
      "bne 8f\n"
      "9:\n"
      "cmp r3, #4\n"
      "blt 6f\n"
      "str r10, [r4, r2]\n"
      "str r6, [r4]\n"
      "adds r4, r4, #4\n"
      "subs r3, r3, #4\n"
      "str r3, [sp, %[left]]\n"
      "str r4, [sp, %[y]]\n"
      "bne 0b\n"
      "b 7f\n"
      "10:\n"
      ETX_RESCALE("r6", "r10") ETX_RESCALE("r7", "r11") ETX_RESCALE("r8", "r12") ETX_RESCALE("r9", "lr")
      "b 5b\n"
      "11:\n"
      ETX_RESCALE_ONCE("r6", "r10") ETX_RESCALE_ONCE("r7", "r11")
      ETX_RESCALE_ONCE("r8", "r12") ETX_RESCALE_ONCE("r9", "lr")
      "b 5b\n"
      "8:\n"
      "ldr r5, [sp, %[low]]\n"
      "ldr r8, [sp, %[high]]\n"
      ETX_LIMIT("r6") ETX_LIMIT("r10")
      "b 9b\n"
      "3:\n" /* the last pairs of inputs */
      ETX_ADD_TWO_PAIRS
      "adds r1, r1, #16\n"
      "adds r0, r0, #16\n"
      "ldr r2, [sp, %[end]]\n"
      "ldr r3, [sp, %[rounding]]\n"
      "cmp r0, r2\n"
      "bne 3b\n"
      "b 4b\n"
      "6:\n"
      "strb r10, [r4, r2]\n"
      "strb r6, [r4], #1\n"
      "lsr r6, r6, #8\n"
      "lsr r10, r10, #8\n"
      "subs r3, r3, #1\n"
      "bne 6b\n"
      "7:\n"
      "add sp, sp, %[size]\n"
      : "+r"(w), "+r"(frame)
      : [x] "I"(offsetof(etx_two_rows, x)), [end_of_eights] "I"(offsetof(etx_two_rows, end_of_eights)),
        [end] "I"(offsetof(etx_two_rows, end)), [rounding] "I"(offsetof(etx_two_rows, rounding)),
        [limited] "I"(offsetof(etx_two_rows, limited)), [y_step] "I"(offsetof(etx_two_rows, y_step)),
        [left] "I"(offsetof(etx_two_rows, left)), [y] "I"(offsetof(etx_two_rows, y)),
        [low] "I"(offsetof(etx_two_rows, low)), [high] "I"(offsetof(etx_two_rows, high)),
#if ETX_RAISED
        [raised] "I"(offsetof(etx_two_rows, raised)),
#endif
        [size] "I"(sizeof(etx_two_rows)), [rectified] "I"(ETX_ROUND_TWICE_RECTIFIED)
      : "r0", "r2", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

/* Adds a row, as etx_expand_row leaves it, times the weights of a block; returns what lies behind them. */
static inline const int32_t *etx_add_row(const int32_t *x, int32_t inputs, const int32_t *weights, etx_sums *sums) {
  register const int32_t *row __asm__("r0") = x;
  register const int32_t *w __asm__("r1") = weights;
  register const int32_t *end __asm__("r4") = x + (inputs & ~7) / 2;
  register int32_t a __asm__("r6") = sums->a;
  register int32_t ab __asm__("r7") = sums->ab;
  register int32_t c __asm__("r8") = sums->c;
  register int32_t cd __asm__("r9") = sums->cd;
  __asm__ volatile(
      "cmp r0, r4\n"
      "beq 2f\n"
      ".balign 4\n"
      "1:\n"
      ETX_ADD_FOUR_PAIRS_OF_ROW
      "cmp r0, r4\n"
      "bne 1b\n"
      "2:\n"
      "tst %[inputs], #4\n"
      "beq 3f\n"
      ETX_ADD_TWO_PAIRS_OF_ROW
      "3:\n"
      : "+r"(row), "+r"(w), "+r"(a), "+r"(ab), "+r"(c), "+r"(cd)
      : "r"(end), [inputs] "r"(inputs)
      : "r2", "r3", "r10", "r11", "r12", "lr", "cc", "memory");
  *sums = (etx_sums){a, ab, c, cd};
  return w;
}

/* clang-format on */

#else

static inline int32_t etx_low_lanes(int32_t w) { return ETX_RAISED ? etx_low_bytes(w) : etx_extend_even(w); }

static inline void etx_add_pair(int32_t x, const int32_t *w, etx_sums *sums) {
  sums->ab = etx_dot(x, w[0], sums->ab);
  sums->cd = etx_dot(x, w[1], sums->cd);
  sums->a = etx_dot(x, etx_low_lanes(w[0]), sums->a);
  sums->c = etx_dot(x, etx_low_lanes(w[1]), sums->c);
}

static inline void etx_multiply_two_rows(const etx_packed_layer *layer, const int32_t *x, int8_t *y) {
  const int32_t *w = layer->packed;
  for (int32_t left = layer->outputs; left > 0; left -= 4, w += 12, y += 4) {
    etx_sums sums = etx_starts(w, layer->raised[0]), below = etx_starts(w, layer->raised[1]);
    w += 4;
    for (int32_t pair = 0; pair < layer->inputs / 2; ++pair, w += 2) {
      etx_add_pair(x[2 * pair], w, &sums);
      etx_add_pair(x[2 * pair + 1], w, &below);
    }
    etx_store_results(y + layer->y_step, etx_results(&below, w, layer->rounding), left, layer->limits);
    etx_store_results(y, etx_results(&sums, w, layer->rounding), left, layer->limits);
  }
}

static inline const int32_t *etx_add_row(const int32_t *x, int32_t inputs, const int32_t *weights, etx_sums *sums) {
  for (const int32_t *const end = x + inputs / 2; x != end; ++x, weights += 2) {
    etx_add_pair(*x, weights, sums);
  }
  return weights;
}

#endif

/* One row, as etx_expand_row leaves it. */
static inline void etx_multiply_row(const etx_packed_layer *layer, const int32_t *x, int8_t *y) {
  const int32_t *w = layer->packed;
  for (int32_t left = layer->outputs; left > 0; left -= 4, w += 12, y += 4) {
    etx_sums sums = etx_starts(w, layer->raised[0]);
    w = etx_add_row(x, layer->inputs, w + 4, &sums);
    etx_store_results(y, etx_results(&sums, w, layer->rounding), left, layer->limits);
  }
}

static inline void etx_expand_two_words(int32_t word, int32_t word_below, int32_t *x) {
  x[0] = etx_extend_even(word);
  x[1] = etx_extend_even(word_below);
  x[2] = etx_extend_odd(word);
  x[3] = etx_extend_odd(word_below);
}

/* Two rows of int8 as pairs of int16 lanes, in turn; zeros behind them. Returns what lies behind the pairs. */
static inline int32_t *etx_expand_two_rows(const int8_t *row, const int8_t *below, int32_t size, int32_t *x) {
  for (const int8_t *const end = row + (size & ~7); row != end; row += 8, below += 8, x += 8) {
    const int32_t word = etx_load_s8x4(row), next = etx_load_s8x4(row + 4);
    const int32_t word_below = etx_load_s8x4(below), next_below = etx_load_s8x4(below + 4);
    etx_expand_two_words(word, word_below, x);
    etx_expand_two_words(next, next_below, x + 4);
  }
  if ((size & 4) != 0) {
    etx_expand_two_words(etx_load_s8x4(row), etx_load_s8x4(below), x);
    row += 4;
    below += 4;
    x += 4;
  }
  if ((size & 3) != 0) {
    etx_expand_two_words(etx_load_bytes(row, size & 3), etx_load_bytes(below, size & 3), x);
    x += 4;
  }
  return x;
}

/* A row of int8 as pairs of int16 lanes; zeros behind it. */
static inline void etx_expand_row(const int8_t *row, int32_t size, int32_t *x) {
  for (const int8_t *const end = row + (size & ~7); row != end; row += 8, x += 4) {
    const int32_t word = etx_load_s8x4(row), next = etx_load_s8x4(row + 4);
    x[0] = etx_extend_even(word);
    x[1] = etx_extend_odd(word);
    x[2] = etx_extend_even(next);
    x[3] = etx_extend_odd(next);
  }
  for (int32_t left = size & 7; left > 0; left -= 4, row += 4, x += 2) {
    const int32_t word = etx_load_bytes(row, left);
    x[0] = etx_extend_even(word);
    x[1] = etx_extend_odd(word);
  }
}

#endif
