/* What scores become before values are added up: weights, and what to multiply their sums by. */
#ifndef ETX_ATTENTION_H
#define ETX_ATTENTION_H

#include "etx_kernels.h"

/* 2^-x in Q15 for x in Q16, divided by 2^shift; coefficients as in edgetx/ops/attention.py. Halving last rounds like
 * a shift to nearest by all places. */
static inline int32_t etx_exp2_negative(int32_t octaves, int32_t shift) {
  const int32_t fraction = octaves & 0xFFFF;
  const int32_t inner = 7579 - ((fraction * 1298) >> 16);
  const int32_t middle = 22665 - ((fraction * inner) >> 16);
  const int32_t doubled = 2 * (32767 - ((fraction * middle) >> 16));
  return ((doubled >> ((octaves >> 16) + shift)) + 1) >> 1;
}

/* The keys that a query sees. */
typedef struct {
  int32_t begin, end;
} etx_key_span;

static inline etx_key_span etx_keys_of(const etx_attention_params *p, int32_t query) {
  const int32_t place = query + p->first, end = place + p->look_ahead + 1;
  const etx_key_span span = {place > p->look_back ? place - p->look_back : 0,
                             end < p->key_length ? end : p->key_length};
  return span;
}

/* Turns a row of scores into unnormalized weights and returns their sum. */
static inline uint32_t etx_weigh(const etx_attention_params *p, int32_t *scores, int32_t keys) {
  int32_t max = scores[0];
  for (int32_t t = 1; t < keys; ++t) {
    max = scores[t] > max ? scores[t] : max;
  }
  const int32_t most = p->difference_max, mantissa = p->score_mantissa, shift = p->score_shift;
  const int32_t weight_shift = p->weight_shift;
  uint32_t total = 0;
  for (int32_t t = 0; t < keys; ++t) {
    const int32_t difference = max - scores[t];
    int32_t weight = 0;
    if (difference <= most) {
      weight = etx_exp2_negative((difference * mantissa) >> shift, weight_shift);
      total += (uint32_t)weight;
    }
    scores[t] = weight;
  }
  return total;
}

typedef struct {
  int32_t mantissa, shift;
} etx_attention_multiplier;

/* scale(v) / scale(y) / total. */
static inline etx_attention_multiplier etx_multiplier_of_total(const etx_attention_params *p, uint32_t total) {
  int32_t normal = 0;
  while ((total << normal) >> 31 == 0) {
    ++normal;
  }
  const uint32_t reciprocal = (1u << 31) / ((total << normal) >> 16);
  const uint64_t product = ((uint64_t)(uint32_t)p->output_mantissa * reciprocal) >> 16;
  const int32_t shift = p->output_shift + normal - 31;
  const etx_attention_multiplier result = {product > INT32_MAX ? INT32_MAX : (int32_t)product,
                                           shift < -31 ? -31 : shift};
  return result;
}

#endif
