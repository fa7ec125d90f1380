#include "etx_attention.h"
#include "etx_neon_dot.h"
#include "etx_neon_output.h"

/* One head of one row of queries, and the keys and values that it sees. */
typedef struct {
  const int8_t *q, *k, *v;
  int32_t keys;
  int32_t stride;
  int32_t readable; /* bytes from k and from v to the ends of their tensors */
  int32_t *scores;
} part;

#if defined(__ARM_NEON)
enum { LARGEST_HEAD = 256, GROUP = 4 };

/* How many keys have `size` bytes to read, beyond their own. */
static int32_t keys_with(const part *in, int32_t size) {
  const int32_t count = in->readable < size ? 0 : (in->readable - size) / in->stride + 1;
  return count < in->keys ? count : in->keys;
}

/* Scores of four keys, which may be the same; q is padded with zeros. */
static inline int32x4_t score_group(const int8_t *q, const int8_t *const key[GROUP], int32_t size, int is_readable) {
  int32x4_t acc[GROUP] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
  for (int32_t c = 0; c < size; c += ETX_STEP) {
    const int8x16_t query = vld1q_s8(q + c);
#pragma GCC unroll 4
    for (int32_t n = 0; n < GROUP; ++n) {
      const int8x16_t row = is_readable ? vld1q_s8(key[n] + c) : etx_load_some(key[n] + c, size - c);
      acc[n] = etx_dot16(acc[n], query, row);
    }
  }
  return vpaddq_s32(vpaddq_s32(acc[0], acc[1]), vpaddq_s32(acc[2], acc[3]));
}

static void score_keys(const etx_attention_params *p, const part *in) {
  const int32_t size = p->head_size, readable = keys_with(in, (size + ETX_STEP - 1) / ETX_STEP * ETX_STEP);
  int8_t q[LARGEST_HEAD] = {0};
  __builtin_memcpy(q, in->q, (uint32_t)size);
  for (int32_t t = 0; t < in->keys; t += GROUP) {
    const int32_t count = in->keys - t < GROUP ? in->keys - t : GROUP;
    const int8_t *key[GROUP];
#pragma GCC unroll 4
    for (int32_t n = 0; n < GROUP; ++n) {
      key[n] = in->k + (t + (n < count ? n : 0)) * in->stride;
    }
    const int32x4_t found = score_group(q, key, size, t + GROUP <= readable);
    if (count == GROUP) {
      vst1q_s32(in->scores + t, found);
    } else {
      int32_t all[GROUP];
      vst1q_s32(all, found);
      __builtin_memcpy(in->scores + t, all, (uint32_t)count * sizeof *all);
    }
  }
}

/* etx_exp2_negative of four. */
static inline int32x4_t exp2_negative(int32x4_t octaves, int32_t shift) {
  const int32x4_t fraction = vandq_s32(octaves, vdupq_n_s32(0xFFFF));
  const int32x4_t inner = vsubq_s32(vdupq_n_s32(7579), vshrq_n_s32(vmulq_n_s32(fraction, 1298), 16));
  const int32x4_t middle = vsubq_s32(vdupq_n_s32(22665), vshrq_n_s32(vmulq_s32(fraction, inner), 16));
  const int32x4_t last = vsubq_s32(vdupq_n_s32(32767), vshrq_n_s32(vmulq_s32(fraction, middle), 16));
  const int32x4_t places = vaddq_s32(vshrq_n_s32(octaves, 16), vdupq_n_s32(shift));
  return vshrq_n_s32(vaddq_s32(vshlq_s32(vaddq_s32(last, last), vnegq_s32(places)), vdupq_n_s32(1)), 1);
}

/* As etx_weigh. */
static uint32_t weigh(const etx_attention_params *p, int32_t *scores, int32_t keys) {
  const int32_t whole = keys / GROUP * GROUP;
  int32x4_t most = vdupq_n_s32(scores[0]), sum = vdupq_n_s32(0);
  int32_t max = scores[0];
  for (int32_t t = 0; t < whole; t += GROUP) {
    most = vmaxq_s32(most, vld1q_s32(scores + t));
  }
  for (int32_t t = whole; t < keys; ++t) {
    max = scores[t] > max ? scores[t] : max;
  }
  max = vmaxvq_s32(most) > max ? vmaxvq_s32(most) : max;
  const int32x4_t right = vdupq_n_s32(-p->score_shift);
  for (int32_t t = 0; t < whole; t += GROUP) {
    const int32x4_t difference = vsubq_s32(vdupq_n_s32(max), vld1q_s32(scores + t));
    const uint32x4_t counts = vcleq_s32(difference, vdupq_n_s32(p->difference_max));
    /* Differences that do not count may overflow here. */
    const int32x4_t octaves = vshlq_s32(vmulq_n_s32(difference, p->score_mantissa), right);
    const int32x4_t weight = vandq_s32(exp2_negative(octaves, p->weight_shift), vreinterpretq_s32_u32(counts));
    vst1q_s32(scores + t, weight);
    sum = vaddq_s32(sum, weight);
  }
  uint32_t total = (uint32_t)vaddvq_s32(sum);
  for (int32_t t = whole; t < keys; ++t) {
    const int32_t difference = max - scores[t];
    scores[t] = 0;
    if (difference <= p->difference_max) {
      scores[t] = etx_exp2_negative((difference * p->score_mantissa) >> p->score_shift, p->weight_shift);
    }
    total += (uint32_t)scores[t];
  }
  return total;
}

static inline void add_value(int32x4_t acc[GROUP], int8x16_t values, int32_t weight) {
  const int16x8_t low = vmovl_s8(vget_low_s8(values)), high = vmovl_high_s8(values);
  const int16_t w = (int16_t)weight;
  acc[0] = vmlal_n_s16(acc[0], vget_low_s16(low), w);
  acc[1] = vmlal_high_n_s16(acc[1], low, w);
  acc[2] = vmlal_n_s16(acc[2], vget_low_s16(high), w);
  acc[3] = vmlal_high_n_s16(acc[3], high, w);
}

static void weighted_sum(const etx_attention_params *p, const part *in, uint32_t total, int8_t *y) {
  const etx_attention_multiplier by = etx_multiplier_of_total(p, total);
  const int32x4_t mantissa = vdupq_n_s32(by.mantissa), shift = vdupq_n_s32(by.shift);
  for (int32_t c = 0; c < p->head_size; c += ETX_STEP) {
    const int32_t readable = keys_with(in, c + ETX_STEP), left = p->head_size - c;
    const int8_t *values = in->v + c;
    int32x4_t acc[GROUP] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
    for (int32_t t = 0; t < readable; ++t) {
      add_value(acc, vld1q_s8(values + t * in->stride), in->scores[t]);
    }
    for (int32_t t = readable; t < in->keys; ++t) {
      add_value(acc, etx_load_some(values + t * in->stride, left), in->scores[t]);
    }
#pragma GCC unroll 4
    for (int32_t n = 0; n < GROUP; ++n) {
      acc[n] = etx_scale_four(acc[n], mantissa, shift);
    }
    etx_store_some(y + c, etx_narrow_all(acc, p->output_offset, INT8_MIN, INT8_MAX), left);
  }
}
#else
enum { LARGEST_HEAD = INT32_MAX };

static void score_keys(const etx_attention_params *p, const part *in) {
  for (int32_t t = 0; t < in->keys; ++t) {
    in->scores[t] = 0;
    for (int32_t c = 0; c < p->head_size; ++c) {
      in->scores[t] += in->q[c] * in->k[t * in->stride + c];
    }
  }
}

static uint32_t weigh(const etx_attention_params *p, int32_t *scores, int32_t keys) {
  return etx_weigh(p, scores, keys);
}

static void weighted_sum(const etx_attention_params *p, const part *in, uint32_t total, int8_t *y) {
  const etx_attention_multiplier by = etx_multiplier_of_total(p, total);
  for (int32_t c = 0; c < p->head_size; ++c) {
    int32_t acc = 0;
    for (int32_t t = 0; t < in->keys; ++t) {
      acc += in->scores[t] * in->v[t * in->stride + c];
    }
    y[c] = (int8_t)etx_requantize(acc, by.mantissa, by.shift, p->output_offset, INT8_MIN, INT8_MAX);
  }
}
#endif

void etx_attention_s8(const etx_attention_params *p, const int8_t *q, const int8_t *k, const int8_t *v,
                      int8_t *y, int32_t *scratch) {
  const int32_t stride = p->heads * p->head_size;
  for (int32_t row = 0; row < p->query_length; ++row) {
    const etx_key_span seen = etx_keys_of(p, row);
    for (int32_t head = 0; head < p->heads; ++head) {
      const int32_t offset = head * p->head_size, from = seen.begin * stride + offset;
      const part in = {q + row * stride + offset, k + from, v + from, seen.end - seen.begin,
                       stride, p->key_length * stride - from, scratch};
      score_keys(p, &in);
      weighted_sum(p, &in, weigh(p, scratch, in.keys), y + row * stride + offset);
    }
  }
}
