#include "etx_attention.h"

static int32_t dot(const int8_t *a, const int8_t *b, int32_t size) {
  int32_t acc = 0;
  for (int32_t i = 0; i < size; ++i) {
    acc += a[i] * b[i];
  }
  return acc;
}

static void weighted_sum(const etx_attention_params *p, const int32_t *weights, uint32_t total,
                         const int8_t *v, int32_t keys, int8_t *y) {
  const int32_t stride = p->heads * p->head_size;
  const etx_attention_multiplier by = etx_multiplier_of_total(p, total);
  for (int32_t c = 0; c < p->head_size; ++c) {
    int32_t acc = 0;
    for (int32_t t = 0; t < keys; ++t) {
      acc += weights[t] * v[t * stride + c];
    }
    y[c] = (int8_t)etx_requantize(acc, by.mantissa, by.shift, p->output_offset, INT8_MIN, INT8_MAX);
  }
}

void etx_attention_s8(const etx_attention_params *p, const int8_t *q, const int8_t *k, const int8_t *v,
                      int8_t *y, int32_t *scratch) {
  const int32_t stride = p->heads * p->head_size;
  for (int32_t row = 0; row < p->query_length; ++row) {
    const etx_key_span seen = etx_keys_of(p, row);
    const int32_t begin = seen.begin, end = seen.end;
    for (int32_t head = 0; head < p->heads; ++head) {
      const int32_t offset = head * p->head_size;
      for (int32_t t = begin; t < end; ++t) {
        scratch[t - begin] = dot(q + row * stride + offset, k + t * stride + offset, p->head_size);
      }
      const uint32_t total = etx_weigh(p, scratch, end - begin);
      weighted_sum(p, scratch, total, v + begin * stride + offset, end - begin, y + row * stride + offset);
    }
  }
}
