#include "etx_attention_scores.h"
#include "etx_attention_values.h"
#include "etx_attention_weights.h"
#include "etx_fixedpoint.h"
#include "etx_kernels.h"
#include "etx_rescale.h"

/* scale(v) / scale(y) / sum of the weights; for the fast way to results, unless its shift is 0. */
typedef struct {
  etx_rescaling rescaling;
  int32_t mantissa, shift;
} divisor;

static divisor divisor_of(const etx_attention_pairs_params *p, uint32_t total) {
  const int32_t normal = __builtin_clz(total);
  const uint32_t reciprocal = (1u << 31) / ((total << normal) >> 16);
  const uint64_t product = ((uint64_t)(uint32_t)p->output_mantissa * reciprocal) >> 16;
  const int32_t mantissa = product > INT32_MAX ? INT32_MAX : (int32_t)product;
  const int32_t shift = p->output_shift + normal - 31;
  divisor by = {.mantissa = mantissa, .shift = shift < -31 ? -31 : shift};
  if (shift <= -1 && shift >= -20) {
    const int32_t rounding = (1 << (-shift - 1)) + (int32_t)((uint32_t)p->output_offset << -shift);
    by.rescaling = (etx_rescaling){mantissa, rounding, -shift};
  }
  return by;
}

static int32_t requantize(const etx_attention_pairs_params *p, int32_t sum, const divisor *by) {
  return etx_requantize(sum, by->mantissa, by->shift, p->output_offset, INT8_MIN, INT8_MAX);
}

static __attribute__((noinline)) int32_t any_results(const etx_attention_pairs_params *p, etx_sums_of_four of, const divisor *by) {
  return etx_pack_s8x4(requantize(p, of.a, by), requantize(p, of.b, by), requantize(p, of.c, by),
                       requantize(p, of.d, by));
}

static inline int32_t results(const etx_attention_pairs_params *p, etx_sums_of_four of, const divisor *by) {
  const etx_rescaling *rescaling = &by->rescaling;
  if (__builtin_expect(rescaling->shift == 0, 0)) {
    return any_results(p, of, by);
  }
  return etx_pack_s8x4(etx_rescale_doubled(2 * of.a, rescaling), etx_rescale_doubled(2 * of.b, rescaling),
                       etx_rescale_doubled(2 * of.c, rescaling), etx_rescale_doubled(2 * of.d, rescaling));
}

/* What a head computes with: its keys and values, and where copies of values go. */
typedef struct {
  const int8_t *k, *v;
  int32_t *queries, *scores, *values;
} head;

/* Rearranges the values of the first columns. */
static void copy_values(const etx_attention_pairs_params *p, const head *of) {
  int32_t *to = of->values;
  for (int32_t column = 0; column < p->copied_columns; column += 4) {
    to = etx_interleave_values(of->v + column, p->heads * p->head_size, p->key_length, p->head_size - column, to);
  }
}

/* Sums of values by the weights in the place of scores; what is not copied is rearranged behind the copies. */
static void sum_all_values(const etx_attention_pairs_params *p, const head *of, const divisor by[2], int8_t *y,
                           int8_t *y_below) {
  const int32_t stride = p->heads * p->head_size, pairs = (p->key_length + 1) / 2, copied = p->copied_columns;
  const int32_t *values = of->values;
  for (int32_t column = 0, left = p->head_size; left > 0; column += 4, left -= 4) {
    if (column >= copied) {
      etx_interleave_values(of->v + column, stride, p->key_length, left, of->values + copied / 2 * pairs);
    }
    etx_sums_of_four rows[2];
    etx_sum_values(values, of->scores, of->scores + 4 * pairs, rows);
    etx_store_bytes(y_below + column, results(p, rows[1], by + 1), left);
    etx_store_bytes(y + column, results(p, rows[0], by), left);
    values += column < copied ? 2 * pairs : 0;
  }
}

static void attend(const etx_attention_pairs_params *p, const head *of, const int8_t *q, int8_t *y) {
  const int32_t size = p->head_size, stride = p->heads * size;
  for (int32_t left = p->query_length; left > 0; left -= 2, q += 2 * stride, y += 2 * stride) {
    const int32_t below = left > 1 ? stride : 0; /* an odd last row is computed twice */
    int32_t max[2];
    etx_expand_query(q, size, of->queries);
    etx_expand_query(q + below, size, of->queries + 1);
    etx_score_keys(of->queries, of->k, size, stride, p->key_length, of->scores, max);
    const uint32_t total = etx_weigh_keys(p, max[0], of->scores);
    const uint32_t total_below = etx_weigh_keys(p, max[1], of->scores + 1);
    const divisor by[2] = {divisor_of(p, total), divisor_of(p, total_below)};
    sum_all_values(p, of, by, y, y + below);
  }
}

void etx_attention_pairs_s8(const etx_attention_pairs_params *params, const int8_t *q, const int8_t *k,
                            const int8_t *v, int8_t *y, int32_t *scratch) {
  const etx_attention_pairs_params here = *params; /* next to the stack rather than in flash */
  const etx_attention_pairs_params *p = &here;
  const int32_t size = p->head_size, stride = p->heads * size;
  head of = {.k = k, .v = v, .queries = scratch, .scores = scratch + ((size + 3) & ~3)};
  of.values = of.scores + 4 * ((p->key_length + 1) / 2);
  for (int32_t first = 0; first < stride; first += size, of.k += size, of.v += size) {
    copy_values(p, &of);
    attend(p, &of, q + first, y + first);
  }
}
