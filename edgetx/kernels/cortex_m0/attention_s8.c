#include "etx_attention.h"
#include "etx_rescale.h"

/* Scores of two keys. */
typedef struct {
  int32_t first, second;
} scores_of_two;

static int32_t dot(const int8_t *a, const int8_t *b, int32_t size) {
  int32_t acc = 0;
  for (int32_t i = 0; i < size; ++i) {
    acc += a[i] * b[i];
  }
  return acc;
}

#if defined(__ARM_ARCH_6M__)

/* Adds the bytes of the words r3, r4 and r5 that `extract` makes the only ones: r3 times r5 to r8, times r4 to r9. */
#define ADD_PRODUCTS(extract)         \
  extract("r6", "r3")                 \
  extract("r7", "r5")                 \
  "muls r7, r6, r7\n"                 \
  "add r8, r7\n"                      \
  extract("r7", "r4")                 \
  "muls r7, r6, r7\n"                 \
  "add r9, r7\n"

#define BYTE_0(to, from) "sxtb " to ", " from "\n"
#define BYTE_1(to, from) "lsls " to ", " from ", #16\n" "asrs " to ", " to ", #24\n"
#define BYTE_2(to, from) "lsls " to ", " from ", #8\n" "asrs " to ", " to ", #24\n"
#define BYTE_3(to, from) "asrs " to ", " from ", #24\n"

#define ADD_WORDS                      \
  "ldm r0!, {r3}\n"                    \
  "ldr r4, [r1, r2]\n"                 \
  "ldm r1!, {r5}\n"                    \
  ADD_PRODUCTS(BYTE_0) ADD_PRODUCTS(BYTE_1) ADD_PRODUCTS(BYTE_2) ADD_PRODUCTS(BYTE_3)

/* Scores of a key and of the one `stride` bytes behind it; everything is aligned to words. */
static scores_of_two score_two(const int8_t *query, const int8_t *keys, int32_t stride, int32_t size) {
  register const int8_t *q __asm__("r0") = query;
  register const int8_t *k __asm__("r1") = keys;
  register int32_t next __asm__("r2") = stride;
  register const int8_t *end __asm__("r10") = keys + size;
  register int32_t first __asm__("r8") = 0;
  register int32_t second __asm__("r9") = 0;
  __asm__ volatile(
      ".syntax unified\n"
      "mov r3, r10\n"
      "subs r3, r3, r1\n"
      "lsls r3, r3, #29\n" /* whether the words are odd in number */
      "bmi 2f\n"
      ".balign 4\n"
      "1:\n" ADD_WORDS
      "2:\n" ADD_WORDS
      "cmp r1, r10\n"
      "bne 1b\n"
      : "+r"(q), "+r"(k), "+r"(first), "+r"(second)
      : "r"(next), "r"(end)
      : "r3", "r4", "r5", "r6", "r7", "cc", "memory");
  const scores_of_two result = {first, second};
  return result;
}

/* Adds a byte of the word r3 times the weight r2. */
#define ADD_WEIGHTED(extract, sum) extract("r4", "r3") "muls r4, r2, r4\n" "add " sum ", r4\n"

#define ADD_ROW          \
  "ldm r1!, {r2}\n"      \
  "ldr r3, [r0]\n"       \
  "adds r0, r0, r5\n"    \
  ADD_WEIGHTED(BYTE_0, "r8") ADD_WEIGHTED(BYTE_1, "r9") ADD_WEIGHTED(BYTE_2, "r10") ADD_WEIGHTED(BYTE_3, "r11")

/* Sums of four columns of values, `stride` bytes apart, times weights; everything is aligned to words. */
static void weigh_four(const int32_t *weights, const int8_t *values, int32_t stride, int32_t keys, int32_t sums[4]) {
  register const int8_t *v __asm__("r0") = values;
  register const int32_t *w __asm__("r1") = weights;
  register int32_t next __asm__("r5") = stride;
  register const int32_t *end __asm__("r6") = weights + keys;
  register int32_t a __asm__("r8") = 0;
  register int32_t b __asm__("r9") = 0;
  register int32_t c __asm__("r10") = 0;
  register int32_t d __asm__("r11") = 0;
  __asm__ volatile(
      ".syntax unified\n"
      "subs r2, r6, r1\n"
      "lsls r2, r2, #29\n"
      "bmi 2f\n"
      ".balign 4\n"
      "1:\n" ADD_ROW
      "2:\n" ADD_ROW
      "cmp r1, r6\n"
      "bne 1b\n"
      : "+r"(v), "+r"(w), "+r"(a), "+r"(b), "+r"(c), "+r"(d)
      : "r"(next), "r"(end)
      : "r2", "r3", "r4", "cc", "memory");
  sums[0] = a;
  sums[1] = b;
  sums[2] = c;
  sums[3] = d;
}

#else

static scores_of_two score_two(const int8_t *query, const int8_t *keys, int32_t stride, int32_t size) {
  const scores_of_two result = {dot(query, keys, size), dot(query, keys + stride, size)};
  return result;
}

static void weigh_four(const int32_t *weights, const int8_t *values, int32_t stride, int32_t keys, int32_t sums[4]) {
  for (int32_t c = 0; c < 4; ++c) {
    sums[c] = 0;
    for (int32_t t = 0; t < keys; ++t) {
      sums[c] += weights[t] * values[t * stride + c];
    }
  }
}

#endif

static void score_keys(const etx_attention_params *p, const int8_t *q, const int8_t *k, int32_t keys, int32_t whole,
                       int32_t *scores) {
  const int32_t stride = p->heads * p->head_size;
  int32_t t = 0;
  for (; whole != 0 && t + 1 < keys; t += 2) {
    const scores_of_two both = score_two(q, k + t * stride, stride, p->head_size);
    scores[t] = both.first;
    scores[t + 1] = both.second;
  }
  for (; t < keys; ++t) {
    scores[t] = dot(q, k + t * stride, p->head_size);
  }
}

static int8_t result_of(const etx_attention_params *p, etx_attention_multiplier by, int32_t sum) {
  const int32_t zero_point = p->output_offset;
  if (by.shift > 0) {
    return (int8_t)etx_requantize(sum, by.mantissa, by.shift, zero_point, INT8_MIN, INT8_MAX);
  }
  const int32_t scaled = etx_rounding_shift_right(etx_rounding_doubling_high_mul(sum, by.mantissa), -by.shift);
  return (int8_t)(etx_clamp(scaled, INT8_MIN - zero_point, INT8_MAX - zero_point) + zero_point);
}

/* The same of four sums; where multipliers shift to the right the zero point is added before. */
static void four_results(const etx_attention_params *p, etx_attention_multiplier by, const int32_t *sums, int8_t *y) {
  const int32_t shift = -by.shift;
  if (shift < 1 || shift > 20) {
    for (int32_t i = 0; i < 4; ++i) {
      y[i] = result_of(p, by, sums[i]);
    }
    return;
  }
  const int32_t rounding = (1 << (shift - 1)) + p->output_offset * (1 << shift);
  for (const int32_t *const end = sums + 4; sums != end; ++sums) {
    const int32_t scaled = etx_rounding_doubling_high_mul(*sums, by.mantissa) + (*sums >> 31) + rounding;
    *y++ = (int8_t)etx_clamp(scaled >> shift, INT8_MIN, INT8_MAX);
  }
}

static void weighted_sum(const etx_attention_params *p, const int32_t *weights, uint32_t total, const int8_t *v,
                         int32_t keys, int32_t whole, int8_t *y) {
  const int32_t stride = p->heads * p->head_size;
  const etx_attention_multiplier by = etx_multiplier_of_total(p, total);
  for (int32_t c = 0; whole != 0 && c < p->head_size; c += 4) {
    int32_t sums[4];
    weigh_four(weights, v + c, stride, keys, sums);
    four_results(p, by, sums, y + c);
  }
  for (int32_t c = 0; whole == 0 && c < p->head_size; ++c) {
    int32_t sum = 0;
    for (int32_t t = 0; t < keys; ++t) {
      sum += weights[t] * v[t * stride + c];
    }
    y[c] = result_of(p, by, sum);
  }
}

static int32_t is_aligned(const void *address) { return ((uintptr_t)address & 3u) == 0; }

void etx_attention_s8(const etx_attention_params *p, const int8_t *q, const int8_t *k, const int8_t *v, int8_t *y,
                      int32_t *scratch) {
  const int32_t stride = p->heads * p->head_size;
  const int32_t whole = (p->head_size & 3) == 0 && is_aligned(q) && is_aligned(k) && is_aligned(v);
  for (int32_t row = 0; row < p->query_length; ++row) {
    const etx_key_span seen = etx_keys_of(p, row);
    for (int32_t offset = 0; offset < stride; offset += p->head_size) {
      const int32_t at = seen.begin * stride + offset, keys = seen.end - seen.begin;
      score_keys(p, q + row * stride + offset, k + at, keys, whole, scratch);
      const uint32_t total = etx_weigh(p, scratch, keys);
      weighted_sum(p, scratch, total, v + at, keys, whole, y + row * stride + offset);
    }
  }
}
