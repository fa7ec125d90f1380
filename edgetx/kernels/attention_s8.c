#include "etx_kernels.h"

static int32_t dot(const int8_t *a, const int8_t *b, int32_t size) {
  int32_t acc = 0;
  for (int32_t i = 0; i < size; ++i) {
    acc += a[i] * b[i];
  }
  return acc;
}

/* 2^-x in Q15 for x in Q16; coefficients as in edgetx/ops/attention.py. */
static int32_t exp2_negative(int32_t octaves) {
  const int32_t fraction = octaves & 0xFFFF;
  const int32_t inner = 7579 - ((fraction * 1298) >> 16);
  const int32_t middle = 22665 - ((fraction * inner) >> 16);
  const int32_t mantissa = 32767 - ((fraction * middle) >> 16);
  return etx_shift_half_up(mantissa, octaves >> 16);
}

/* Turns a row of scores into unnormalized weights and returns their sum. */
static uint32_t weigh(const etx_attention_params *p, int32_t *scores, int32_t keys) {
  int32_t max = scores[0];
  for (int32_t t = 1; t < keys; ++t) {
    max = scores[t] > max ? scores[t] : max;
  }
  uint32_t total = 0;
  for (int32_t t = 0; t < keys; ++t) {
    const int32_t difference = max - scores[t];
    scores[t] = 0;
    if (difference <= p->difference_max) {
      scores[t] = exp2_negative((difference * p->score_mantissa) >> p->score_shift) >> p->weight_shift;
    }
    total += (uint32_t)scores[t];
  }
  return total;
}

static void weighted_sum(const etx_attention_params *p, const int32_t *weights, uint32_t total,
                         const int8_t *v, int32_t keys, int8_t *y) {
  const int32_t stride = p->heads * p->head_size;
  int32_t normal = 0;
  while ((total << normal) >> 31 == 0) {
    ++normal;
  }
  const uint32_t reciprocal = (1u << 31) / ((total << normal) >> 16);
  const uint64_t product = ((uint64_t)(uint32_t)p->output_mantissa * reciprocal) >> 16;
  const int32_t mantissa = product > INT32_MAX ? INT32_MAX : (int32_t)product;
  const int32_t exact_shift = p->output_shift + normal - 31;
  const int32_t shift = exact_shift < -31 ? -31 : exact_shift;
  for (int32_t c = 0; c < p->head_size; ++c) {
    int32_t acc = 0;
    for (int32_t t = 0; t < keys; ++t) {
      acc += weights[t] * v[t * stride + c];
    }
    y[c] = (int8_t)etx_requantize(acc, mantissa, shift, p->output_offset, INT8_MIN, INT8_MAX);
  }
}

void etx_attention_s8(const etx_attention_params *p, const int8_t *q, const int8_t *k, const int8_t *v,
                      int8_t *y, int32_t *scratch) {
  const int32_t stride = p->heads * p->head_size;
  for (int32_t row = 0; row < p->query_length; ++row) {
    const int32_t place = row + p->first;
    const int32_t begin = place > p->look_back ? place - p->look_back : 0;
    const int32_t end = place + p->look_ahead + 1 < p->key_length ? place + p->look_ahead + 1 : p->key_length;
    for (int32_t head = 0; head < p->heads; ++head) {
      const int32_t offset = head * p->head_size;
      for (int32_t t = begin; t < end; ++t) {
        scratch[t - begin] = dot(q + row * stride + offset, k + t * stride + offset, p->head_size);
      }
      const uint32_t total = weigh(p, scratch, end - begin);
      weighted_sum(p, scratch, total, v + begin * stride + offset, end - begin, y + row * stride + offset);
    }
  }
}
