#include <stddef.h>

#include "etx_dsp.h"
#include "etx_fixedpoint_math.h"
#include "etx_kernels.h"

/* A pair of query rows: the queries and, for each key, first scores, then weights. */
typedef struct {
  int32_t *queries; /* of both rows in turn, two to a word */
  int32_t *scores[2];
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

static inline void add_keys(const int32_t *queries, int32_t keys, int32_t *first, int32_t *second) {
  const int32_t even = etx_extend_even(keys), odd = etx_extend_odd(keys);
  *first = etx_dot(odd, queries[2], etx_dot(even, queries[0], *first));
  *second = etx_dot(odd, queries[3], etx_dot(even, queries[1], *second));
}

static void score_keys(const etx_attention_params *p, const int8_t *k, pair_of_rows *rows) {
  const int32_t words = p->head_size & ~3, rest = p->head_size & 3, stride = p->heads * p->head_size;
  int32_t max0 = INT32_MIN, max1 = INT32_MIN;
  int32_t *scores = rows->scores[0], *scores_below = rows->scores[1];
  for (const int32_t *const end = scores + p->key_length; scores != end; ++scores, ++scores_below) {
    int32_t first = 0, second = 0;
    const int32_t *queries = rows->queries;
    const int8_t *key = k;
    for (; key != k + words; key += 4, queries += 4) {
      add_keys(queries, etx_load_s8x4(key), &first, &second);
    }
    if (rest != 0) {
      add_keys(queries, etx_load_bytes(key, rest), &first, &second);
    }
    *scores = first;
    *scores_below = second;
    max0 = larger(max0, first);
    max1 = larger(max1, second);
    k += stride;
  }
  rows->max[0] = max0;
  rows->max[1] = max1;
}

/* 2^-x in Q15 for x in Q16; coefficients as in edgetx/ops/attention.py. */
static inline int32_t exp2_negative(int32_t octaves) {
  const int32_t fraction = octaves & 0xFFFF;
  const int32_t inner = 7579 - etx_mul_wide(fraction, 1298);
  const int32_t middle = 22665 - etx_mul_wide(fraction, inner);
  return etx_shift_half_up(32767 - etx_mul_wide(fraction, middle), octaves >> 16);
}

/* Turns scores into weights of 16 bits, in place; returns their sum. */
static uint32_t weigh(const etx_attention_params *p, int32_t max, int32_t *scores) {
  const int32_t farthest = p->difference_max, mantissa = p->score_mantissa, shift = p->score_shift;
  const int32_t weight_shift = p->weight_shift;
  const int32_t *const end = scores + p->key_length;
  int16_t *weight = (int16_t *)scores;
  uint32_t total = 0;
  for (; scores != end; ++scores, ++weight) {
    const int32_t difference = max - *scores;
    int32_t power = 0;
    if (difference <= farthest) {
      power = exp2_negative((difference * mantissa) >> shift) >> weight_shift;
    }
    *weight = (int16_t)power;
    total += (uint32_t)power;
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

/* Of four columns. */
typedef struct {
  int32_t a, b, c, d;
} sums;

/* Adds two rows of v times the weights of both rows of results. */
static inline void add_values(int32_t above, int32_t below, int32_t weights, int32_t weights_below, sums *to,
                              sums *to_below) {
  const int32_t even = etx_extend_even(above), odd = etx_extend_odd(above);
  const int32_t even_below = etx_extend_even(below), odd_below = etx_extend_odd(below);
  const int32_t a = etx_pack_low(even, even_below), b = etx_pack_low(odd, odd_below);
  const int32_t c = etx_pack_high(even, even_below), d = etx_pack_high(odd, odd_below);
  to->a = etx_dot(a, weights, to->a);
  to->b = etx_dot(b, weights, to->b);
  to->c = etx_dot(c, weights, to->c);
  to->d = etx_dot(d, weights, to->d);
  to_below->a = etx_dot(a, weights_below, to_below->a);
  to_below->b = etx_dot(b, weights_below, to_below->b);
  to_below->c = etx_dot(c, weights_below, to_below->c);
  to_below->d = etx_dot(d, weights_below, to_below->d);
}

static void store(const etx_attention_params *p, const sums *acc, multiplier by, int32_t count, int8_t *y) {
  const int32_t all[4] = {acc->a, acc->b, acc->c, acc->d};
  for (int32_t i = 0; i < count; ++i) {
    y[i] = (int8_t)etx_requantize(all[i], by.mantissa, by.shift, p->output_offset, INT8_MIN, INT8_MAX);
  }
}

/* Up to four results of both rows from as many columns of v. */
static inline __attribute__((always_inline)) void weigh_values(const etx_attention_params *p, const int8_t *v,
                                                               const pair_of_rows *rows,
                                                               const multiplier by[2], int32_t count,
                                                               int8_t *y, int8_t *y_below) {
  const int32_t stride = p->heads * p->head_size;
  const int32_t *weights = rows->scores[0], *weights_below = rows->scores[1];
  sums acc = {0, 0, 0, 0}, acc_below = acc;
  for (const int32_t *const end = weights + p->key_length / 2; weights != end; ++weights, ++weights_below) {
    const int32_t above = etx_load_bytes(v, count), below = etx_load_bytes(v + stride, count);
    add_values(above, below, *weights, *weights_below, &acc, &acc_below);
    v += 2 * stride;
  }
  if ((p->key_length & 1) != 0) {
    const int16_t last = *(const int16_t *)weights, last_below = *(const int16_t *)weights_below;
    add_values(etx_load_bytes(v, count), 0, last, last_below, &acc, &acc_below);
  }
  store(p, &acc_below, by[1], count, y_below);
  store(p, &acc, by[0], count, y);
}

void etx_attention_pairs_s8(const etx_attention_params *params, const int8_t *q, const int8_t *k,
                            const int8_t *v, int8_t *y, int32_t *scratch) {
  const etx_attention_params here = *params; /* next to the stack rather than in flash */
  const etx_attention_params *p = &here;
  const int32_t size = p->head_size, stride = p->heads * size, words = size & ~3;
  pair_of_rows rows = {scratch, {scratch + ((size + 3) & ~3), NULL}, {0, 0}};
  rows.scores[1] = rows.scores[0] + p->key_length;
  for (int32_t row = 0; row < p->query_length; row += 2) {
    const int32_t below = row + 1 < p->query_length ? stride : 0; /* an odd last row is computed twice */
    for (int32_t head = 0; head < stride; head += size) {
      int8_t *to = y + row * stride + head;
      expand_queries(q + row * stride + head, size, rows.queries);
      expand_queries(q + row * stride + head + below, size, rows.queries + 1);
      score_keys(p, k + head, &rows);
      const multiplier by[2] = {multiplier_of(p, weigh(p, rows.max[0], rows.scores[0])),
                                multiplier_of(p, weigh(p, rows.max[1], rows.scores[1]))};
      for (int32_t c = 0; c < words; c += 4) {
        weigh_values(p, v + head + c, &rows, by, 4, to + c, to + below + c);
      }
      if (words != size) {
        weigh_values(p, v + head + words, &rows, by, size - words, to + words, to + below + words);
      }
    }
  }
}
