#include <stddef.h>

#include "etx_dsp.h"
#include "etx_fixedpoint_math.h"
#include "etx_kernels.h"
#include "etx_rescale.h"

/* A pair of query rows: the queries and, for each key, scores; both of both rows in turn. */
typedef struct {
  int32_t *queries; /* two to a word */
  int32_t *scores;
  int32_t max[2];
} pair_of_rows;

static int32_t larger(int32_t a, int32_t b) { return a > b ? a : b; }

static void expand_queries(const int8_t *row, int32_t size, int32_t *to) {
  for (int32_t left = size; left > 0; left -= 4, row += 4, to += 4) {
    const int32_t word = etx_load_bytes(row, left);
    to[0] = etx_extend_even(word);
    to[2] = etx_extend_odd(word);
  }
}

/* Scores of two keys for both rows. */
typedef struct {
  int32_t first, first_below, second, second_below;
} scores_of_two;

static inline void add_keys(const int32_t *queries, int32_t key, int32_t next_key, scores_of_two *to) {
  const int32_t even = etx_extend_even(key), next_even = etx_extend_even(next_key);
  to->first = etx_dot(even, queries[0], to->first);
  to->first_below = etx_dot(even, queries[1], to->first_below);
  to->second = etx_dot(next_even, queries[0], to->second);
  to->second_below = etx_dot(next_even, queries[1], to->second_below);
  const int32_t odd = etx_extend_odd(key), next_odd = etx_extend_odd(next_key);
  to->first = etx_dot(odd, queries[2], to->first);
  to->first_below = etx_dot(odd, queries[3], to->first_below);
  to->second = etx_dot(next_odd, queries[2], to->second);
  to->second_below = etx_dot(next_odd, queries[3], to->second_below);
}

/* Where scores of both rows go, in turn, and the largest of each. */
typedef struct {
  const int32_t *queries;
  int32_t bytes; /* of a key */
  int32_t *scores;
  int32_t *end;
  int32_t to_next; /* from behind one key to the key after the next */
  int32_t max, max_below;
} scoring;

static inline void keep_scores(const scores_of_two *sums, scoring *to) {
  to->scores[0] = sums->first;
  to->scores[1] = sums->first_below;
  to->scores[2] = sums->second;
  to->scores[3] = sums->second_below;
  to->max = larger(larger(to->max, sums->first), sums->second);
  to->max_below = larger(larger(to->max_below, sums->first_below), sums->second_below);
}

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

#define LOAD_QUERIES "ldr r9, [r2, #4]\n" "ldr r8, [r2], #8\n"

/* Extends two keys and adds them times the queries of both rows. */
#define ADD_EXTENDED(key, next_key, order)    \
  "sxtb16 r10, " key order "\n"               \
  "smlad r4, r10, r8, r4\n"                   \
  "smlad r5, r10, r9, r5\n"                   \
  "sxtb16 r10, " next_key order "\n"          \
  "smlad r6, r10, r8, r6\n"                   \
  "smlad r7, r10, r9, r7\n"

#define RAISE(max, score) "cmp " max ", " score "\n" "it lt\n" "movlt " max ", " score "\n"

/* Scores of pairs of keys, of whole words, for both rows; keys are `step` bytes apart. */
static void score_pairs(const int8_t *key, int32_t step, scoring *to) {
  register const int8_t *k __asm__("r0") = key;
  register int32_t next __asm__("r1") = step;
  register const scoring *frame __asm__("r2") = to;
  register int32_t max __asm__("r4"), max_below __asm__("r5");
  __asm__ volatile(
      "ldm r2, {r4, r5, r6, r7, r8, r9, r10}\n"
      "push {r4, r5, r6, r7, r8, r9, r10}\n"
      ".balign 4\n"
      "2:\n" /* two keys */
      "ldr r2, [sp, %[queries]]\n"
      "ldr r3, [sp, %[bytes]]\n"
      "movs r4, #0\n"
      "movs r5, #0\n"
      "movs r6, #0\n"
      "movs r7, #0\n"
      "add r3, r3, r0\n"
      ".balign 4\n"
      "1:\n"
      "ldr r12, [r0, r1]\n"
      "ldr r11, [r0], #4\n"
      LOAD_QUERIES ADD_EXTENDED("r11", "r12", "")
      LOAD_QUERIES ADD_EXTENDED("r11", "r12", ", ror #8")
      "cmp r0, r3\n"
      "bne 1b\n"
      "ldr r8, [sp, %[scores]]\n"
      "ldr r9, [sp, %[max]]\n"
      "ldr r10, [sp, %[max_below]]\n"
      "ldr r11, [sp, %[to_next]]\n"
      "stm r8!, {r4, r5, r6, r7}\n"
      "str r8, [sp, %[scores]]\n"
      RAISE("r9", "r4") RAISE("r10", "r5") RAISE("r9", "r6") RAISE("r10", "r7")
      "str r9, [sp, %[max]]\n"
      "str r10, [sp, %[max_below]]\n"
      "ldr r12, [sp, %[end]]\n"
      "add r0, r0, r11\n"
      "cmp r8, r12\n"
      "bne 2b\n"
      "mov r4, r9\n"
      "mov r5, r10\n"
      "add sp, sp, %[size]\n"
      : "+r"(k), "+r"(next), "+r"(frame), "=r"(max), "=r"(max_below)
      : [queries] "I"(offsetof(scoring, queries)), [bytes] "I"(offsetof(scoring, bytes)),
        [scores] "I"(offsetof(scoring, scores)), [end] "I"(offsetof(scoring, end)),
        [to_next] "I"(offsetof(scoring, to_next)), [max] "I"(offsetof(scoring, max)),
        [max_below] "I"(offsetof(scoring, max_below)), [size] "I"(sizeof(scoring))
      : "r3", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "cc", "memory");
  to->max = max;
  to->max_below = max_below;
}

/* clang-format on */

#else

static void score_pairs(const int8_t *key, int32_t step, scoring *to) {
  for (; to->scores != to->end; to->scores += 4, key += to->bytes + to->to_next) {
    scores_of_two sums = {0, 0, 0, 0};
    for (int32_t i = 0; i < to->bytes; i += 4) {
      add_keys(to->queries + i, etx_load_s8x4(key + i), etx_load_s8x4(key + step + i), &sums);
    }
    keep_scores(&sums, to);
  }
}

#endif

/* The same for keys of any size, and any number of pairs. */
static inline void score_any_pairs(const int8_t *key, int32_t step, scoring *to) {
  const int32_t size = to->bytes;
  if ((size & 3) == 0 && to->scores != to->end) {
    score_pairs(key, step, to);
    return;
  }
  for (; to->scores != to->end; to->scores += 4, key += 2 * step) {
    scores_of_two sums = {0, 0, 0, 0};
    for (int32_t i = 0; i < size; i += 4) {
      add_keys(to->queries + i, etx_load_bytes(key + i, size - i), etx_load_bytes(key + step + i, size - i), &sums);
    }
    keep_scores(&sums, to);
  }
}

static void score_keys(const etx_attention_params *p, const int8_t *k, pair_of_rows *rows) {
  const int32_t size = p->head_size, step = p->heads * size, pairs = p->key_length / 2;
  scoring to = {.queries = rows->queries,
                .bytes = size,
                .scores = rows->scores,
                .end = rows->scores + 4 * pairs,
                .to_next = 2 * step - size,
                .max = INT32_MIN,
                .max_below = INT32_MIN};
  score_any_pairs(k, step, &to);
  if ((p->key_length & 1) != 0) { /* an odd last key is scored twice, in a pair of its own */
    int32_t pair[4];
    scoring last = to;
    last.scores = pair;
    last.end = pair + 4;
    score_any_pairs(k + 2 * pairs * step, 0, &last);
    rows->scores[4 * pairs] = pair[0];
    rows->scores[4 * pairs + 1] = pair[1];
    to = last;
  }
  rows->max[0] = to.max;
  rows->max[1] = to.max_below;
}

/* From scores to weights; `most` and the least distance of a score without weight, 16 octaves, add up to INT32_MAX.
 * Distances become octaves in Q16 with what else a weight of 15 + 16 bits is shifted by. */
typedef struct {
  int32_t max;
  const int32_t *end;
  int32_t most;
  uint32_t mantissa, start;
  int32_t shift;
} weighing;

#define EXP2_CUBIC (-1298)
#define EXP2_SQUARE 7580 /* one more than in edgetx/ops/attention.py: see `weigh_pairs` */
#define EXP2_SLOPE 22665
#define EXP2_START 32767

/* A weight of 16 bits: 2^-octaves, to nearest. */
static inline int32_t weight_of(const weighing *by, int32_t score) {
  const int32_t distance = etx_subtract_saturated(by->most, score - by->max);
  const uint32_t octaves = ((uint32_t)distance * by->mantissa + by->start) >> by->shift;
  const int32_t fraction = (int32_t)(octaves & 0xFFFF), places = (int32_t)(octaves >> 16) - 16;
  const int32_t inner = etx_mac_wide(fraction, EXP2_CUBIC, EXP2_SQUARE);
  const int32_t middle = EXP2_SLOPE - etx_mul_wide(fraction, inner);
  const int32_t doubled = 2 * (EXP2_START - etx_mul_wide(fraction, middle));
  return ((doubled >> places) + 1) >> 1;
}

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

#define OF_BOTH(instruction, first, second) instruction " " first "\n" instruction " " second "\n"

/* Turns the scores of pairs of keys, at every second word, into weights that share the first word of a pair; returns
 * their sum. A negative product is rounded down to one less than the positive one, except for fractions of 0 and 1/2,
 * where it makes no difference to the weight. The last shift leaves its rounding bit in the carry. */
static uint32_t weigh_pairs(const weighing *by, int32_t *scores) {
  const weighing kept = *by;
  register int32_t *next __asm__("r0") = scores;
  register uint32_t total __asm__("r1") = 0;
  register const weighing *frame __asm__("r2") = &kept;
  register int32_t multiplier_and_shift __asm__("r5") = (int32_t)((uint32_t)EXP2_CUBIC << 16) | by->shift;
  register int32_t start_and_slope __asm__("r6") = EXP2_START << 16 | EXP2_SLOPE;
  register int32_t square __asm__("r7") = EXP2_SQUARE;
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
      OF_BOTH("sub.w", "r8, r8, r10", "r9, r9, r10")
      OF_BOTH("qsub", "r8, r2, r8", "r9, r2, r9")
      OF_BOTH("mla", "r8, r8, r3, r4", "r9, r9, r3, r4")
      OF_BOTH("lsr.w", "r8, r8, r5", "r9, r9, r5")
      OF_BOTH("uxth.w", "r10, r8", "r11, r9")
      OF_BOTH("lsr.w", "r8, r8, #16", "r9, r9, #16")
      OF_BOTH("smlawt", "r12, r10, r5, r7", "lr, r11, r5, r7")
      OF_BOTH("smulwb", "r12, r10, r12", "lr, r11, lr")
      OF_BOTH("ssub16", "r12, r6, r12", "lr, r6, lr") /* the slope, less in the lower lane */
      OF_BOTH("smulwb", "r12, r10, r12", "lr, r11, lr")
      OF_BOTH("ssax", "r12, r6, r12", "lr, r6, lr") /* the start, less in the upper lane */
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

static uint32_t weigh_pairs(const weighing *by, int32_t *scores) {
  uint32_t total = 0;
  for (; scores != by->end; scores += 4) {
    const int32_t weight = weight_of(by, scores[0]), next = weight_of(by, scores[2]);
    *scores = etx_pack_low(weight, next);
    total += (uint32_t)weight + (uint32_t)next;
  }
  return total;
}

#endif

/* Turns the scores of a row into weights, where they are, and returns their sum. */
static uint32_t weigh(const etx_attention_params *p, int32_t max, int32_t *scores) {
  const int32_t most = INT32_MAX - 1 - p->difference_max;
  const uint32_t mantissa = (uint32_t)p->score_mantissa;
  const weighing by = {.max = max,
                       .end = scores + 2 * (p->key_length & ~1),
                       .most = most,
                       .mantissa = mantissa,
                       .start = ((uint32_t)(p->weight_shift + 16) << (16 + p->score_shift)) - (uint32_t)most * mantissa,
                       .shift = p->score_shift};
  uint32_t total = p->key_length > 1 ? weigh_pairs(&by, scores) : 0;
  if ((p->key_length & 1) != 0) {
    int32_t *const last = scores + 2 * (p->key_length - 1);
    *last = weight_of(&by, *last);
    total += (uint32_t)*last;
  }
  return total;
}

typedef struct {
  int32_t mantissa, shift;
} multiplier;

/* scale(v) / scale(y) / total. */
static multiplier multiplier_of(const etx_attention_params *p, uint32_t total) {
  const int32_t normal = etx_leading_zeros(total);
  const uint32_t reciprocal = (1u << 31) / ((total << normal) >> 16);
  const uint64_t product = ((uint64_t)(uint32_t)p->output_mantissa * reciprocal) >> 16;
  const int32_t shift = p->output_shift + normal - 31;
  const multiplier result = {product > INT32_MAX ? INT32_MAX : (int32_t)product, shift < -31 ? -31 : shift};
  return result;
}

/* Of four columns in both rows of results. */
typedef struct {
  int32_t above[4], below[4];
} sums;

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

/* Adds two rows of two columns in lr and of two in r3, times a row's weights, to four sums. */
#define ADD_WEIGHTED(next, a, b, c, d)   \
  "ldr r12, [r1], #" next "\n"     \
  "sxtb16 r2, lr\n"                \
  "smlad " a ", r2, r12, " a "\n"  \
  "sxtb16 r2, lr, ror #8\n"        \
  "smlad " b ", r2, r12, " b "\n"  \
  "sxtb16 r2, r3\n"                \
  "smlad " c ", r2, r12, " c "\n"  \
  "sxtb16 r2, r3, ror #8\n"        \
  "smlad " d ", r2, r12, " d "\n"

/* clang-format on */

/* Sums of four whole columns over an even number of keys, at least two, whose weights begin at `weights`. */
static void add_pairs(const int8_t *values, int32_t stride, const int32_t *weights, const int32_t *end, sums *to) {
  const struct {
    int32_t stride;
    const int32_t *end;
    sums *to;
  } kept = {stride, end, to}; /* in memory: the loop needs all registers */
  register const int8_t *v __asm__("r0") = values;
  register const int32_t *w __asm__("r1") = weights;
  register const void *frame __asm__("r2") = &kept;
  __asm__ volatile(
      "ldm r2, {r3, r4, r5}\n"
      "push {r3, r4, r5}\n"
      "movs r4, #0\n"
      "movs r5, #0\n"
      "movs r6, #0\n"
      "movs r7, #0\n"
      "mov.w r8, #0\n"
      "mov.w r9, #0\n"
      "mov.w r10, #0\n"
      "mov.w r11, #0\n"
      ".balign 4\n"
      "1:\n"
      "ldr r12, [sp]\n"
      "ldr r2, [r0]\n"
      "ldr r3, [r0, r12]\n"
      "add.w r0, r0, r12, lsl #1\n"
      "pkhbt lr, r2, r3, lsl #16\n"
      "pkhtb r3, r3, r2, asr #16\n" ADD_WEIGHTED("4", "r4", "r5", "r6", "r7")
      ADD_WEIGHTED("12", "r8", "r9", "r10", "r11")
      "ldr r12, [sp, #4]\n"
      "cmp r1, r12\n"
      "bne 1b\n"
      "pop {r2, r3, r12}\n"
      "stm r12, {r4, r5, r6, r7, r8, r9, r10, r11}\n"
      : "+r"(v), "+r"(w), "+r"(frame)
      :
      : "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
}

#else

static void add_pair(int32_t above, int32_t below, const int32_t *weights, sums *to);

static void add_pairs(const int8_t *v, int32_t stride, const int32_t *weights, const int32_t *end, sums *to) {
  const sums none = {{0, 0, 0, 0}, {0, 0, 0, 0}};
  *to = none;
  for (; weights != end; weights += 4, v += 2 * stride) {
    add_pair(etx_load_s8x4(v), etx_load_s8x4(v + stride), weights, to);
  }
}

#endif

/* Adds two rows of v times the weights of both rows of results. */
static void add_pair(int32_t above, int32_t below, const int32_t *weights, sums *to) {
  const int32_t low = etx_pack_low(above, below), high = etx_pack_high(above, below);
  const int32_t columns[4] = {etx_extend_even(low), etx_extend_odd(low), etx_extend_even(high),
                              etx_extend_odd(high)};
  for (int32_t i = 0; i < 4; ++i) {
    to->above[i] = etx_dot(columns[i], weights[0], to->above[i]);
    to->below[i] = etx_dot(columns[i], weights[1], to->below[i]);
  }
}

static void store(const etx_attention_params *p, const int32_t *acc, multiplier by, int32_t count, int8_t *y) {
  if (count == 4 && by.shift <= -1 && by.shift >= -20) {
    const etx_rescaling rescaling = {
        by.mantissa, (1 << (-by.shift - 1)) + (int32_t)((uint32_t)p->output_offset << -by.shift), -by.shift};
    etx_store_s8x4(y, etx_pack_s8x4(etx_rescale(2 * acc[0], &rescaling), etx_rescale(2 * acc[1], &rescaling),
                                    etx_rescale(2 * acc[2], &rescaling), etx_rescale(2 * acc[3], &rescaling)));
    return;
  }
  for (int32_t i = 0; i < count; ++i) {
    y[i] = (int8_t)etx_requantize(acc[i], by.mantissa, by.shift, p->output_offset, INT8_MIN, INT8_MAX);
  }
}

/* Up to four results of both rows from as many columns of v. */
static void weigh_values(const etx_attention_params *p, const int8_t *v, const int32_t *weights,
                         const multiplier by[2], int32_t count, int8_t *y, int8_t *y_below) {
  const int32_t stride = p->heads * p->head_size, pairs = p->key_length / 2;
  const int32_t *const end = weights + 4 * pairs;
  sums acc;
  if (count == 4 && pairs != 0) {
    add_pairs(v, stride, weights, end, &acc);
  } else {
    const sums none = {{0, 0, 0, 0}, {0, 0, 0, 0}};
    acc = none;
    for (const int8_t *row = v; weights != end; weights += 4, row += 2 * stride) {
      add_pair(etx_load_bytes(row, count), etx_load_bytes(row + stride, count), weights, &acc);
    }
  }
  if ((p->key_length & 1) != 0) {
    add_pair(etx_load_bytes(v + 2 * pairs * stride, count), 0, end, &acc);
  }
  store(p, acc.below, by[1], count, y_below);
  store(p, acc.above, by[0], count, y);
}

void etx_attention_pairs_s8(const etx_attention_params *params, const int8_t *q, const int8_t *k,
                            const int8_t *v, int8_t *y, int32_t *scratch) {
  const etx_attention_params here = *params; /* next to the stack rather than in flash */
  const etx_attention_params *p = &here;
  const int32_t size = p->head_size, stride = p->heads * size, words = size & ~3;
  pair_of_rows rows = {scratch, scratch + ((size + 3) & ~3), {0, 0}};
  for (int32_t row = 0; row < p->query_length; row += 2) {
    const int32_t below = row + 1 < p->query_length ? stride : 0; /* an odd last row is computed twice */
    for (int32_t head = 0; head < stride; head += size) {
      int8_t *to = y + row * stride + head;
      expand_queries(q + row * stride + head, size, rows.queries);
      expand_queries(q + row * stride + head + below, size, rows.queries + 1);
      score_keys(p, k + head, &rows);
      int32_t *const weights = rows.scores;
      const uint32_t total = weigh(p, rows.max[0], weights);
      const uint32_t total_below = weigh(p, rows.max[1], weights + 1);
      const multiplier by[2] = {multiplier_of(p, total), multiplier_of(p, total_below)};
      for (int32_t c = 0; c < words; c += 4) {
        weigh_values(p, v + head + c, weights, by, 4, to + c, to + below + c);
      }
      if (words != size) {
        weigh_values(p, v + head + words, weights, by, size - words, to + words, to + below + words);
      }
    }
  }
}
