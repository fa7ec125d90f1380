/* NEON kernels against the portable ones, whose functions are called portable_… here, on random shapes and values. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "etx_kernels.h"

void portable_fully_connected_s8(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w,
                                 const int32_t *bias, const int32_t *mantissas, const int32_t *shifts, int8_t *y);
void portable_conv_2d_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w, const int32_t *bias,
                         const int32_t *mantissas, const int32_t *shifts, int8_t *y);
void portable_depthwise_conv_2d_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                                   const int32_t *bias, const int32_t *mantissas, const int32_t *shifts, int8_t *y);
void portable_average_pool_2d_s8(const etx_pool_params *p, const int8_t *x, int8_t *y);
void portable_add_s8(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y);
void portable_attention_s8(const etx_attention_params *p, const int8_t *q, const int8_t *k, const int8_t *v, int8_t *y,
                           int32_t *scratch);

enum { SIZE = 1 << 16, CHANNELS = 64, CASES = 1500 };
static int8_t *x, *w, y[SIZE], z[SIZE];
static int32_t bias[CHANNELS], mantissas[CHANNELS], shifts[CHANNELS];
static uint32_t state = 1;

/* Memory behind which there is none. */
static int8_t *guarded(void) {
  int8_t *all = mmap(0, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(all + SIZE, SIZE, PROT_NONE);
  return all;
}

static int32_t draw(int32_t low, int32_t high) {
  state = state * 1664525u + 1013904223u;
  return low + (int32_t)((state >> 8) % (uint32_t)(high - low + 1));
}

static void fill(int case_number) {
  for (int i = 0; i < SIZE; ++i) {
    const int is_extreme = case_number % 3 == 0;
    x[i] = (int8_t)(is_extreme ? -128 + 255 * draw(0, 1) * (case_number % 2) : draw(-128, 127));
    /* Kernels may treat weights without -128 in another way. */
    const int least = case_number / 6 % 2 ? -127 : -128;
    w[i] = (int8_t)(is_extreme ? least : draw(least, 127));
  }
  for (int i = 0; i < CHANNELS; ++i) {
    bias[i] = draw(-4000000, 4000000);
    mantissas[i] = case_number % 7 == 0 ? 1 << 30 : (draw(1 << 22, (1 << 23) - 1) << 8) | draw(0, 255);
    shifts[i] = case_number % 5 == 0 ? draw(0, 2) : draw(-16, 0);
  }
  memset(y, 1, SIZE);
  memset(z, 1, SIZE);
}

#if defined(__ARM_FEATURE_DOTPROD)
/* As edgetx/plan/packing does it for dot products. */
static void pack(int32_t depth, int32_t channels, int32_t offset, int32_t *to) {
  for (int32_t first = 0; first < channels; first += 8) {
    for (int32_t c = first; c < first + 8; ++c, ++to) {
      int32_t sum = 0;
      for (int32_t k = 0; k < depth && c < channels; ++k) {
        sum += w[c * depth + k];
      }
      to[0] = c < channels ? bias[c] + offset * sum : 0;
      to[8] = c < channels ? mantissas[c] : 0;
      to[16] = c < channels ? shifts[c] : 0;
    }
    to += 16;
    for (int32_t k = 0; k < depth; k += 4) {
      for (int32_t c = first; c < first + 8; ++c, ++to) {
        int8_t bytes[4] = {0};
        for (int32_t n = 0; n < 4 && k + n < depth && c < channels; ++n) {
          bytes[n] = w[c * depth + k + n];
        }
        memcpy(to, bytes, sizeof bytes);
      }
    }
  }
}

static int dot_differs(const etx_fully_connected_params *f, const etx_convolution_params *c, int case_number) {
  static int32_t packed[SIZE];
  memset(y, 1, SIZE);
  memset(z, 1, SIZE);
  pack(f->in_features, f->out_features, f->input_offset, packed);
  const int8_t *last = x + SIZE - f->rows * f->in_features;
  portable_fully_connected_s8(f, last, w, bias, mantissas, shifts, z);
  etx_fully_connected_dot_s8(f, last, packed, y);
  if (memcmp(y, z, SIZE) != 0) {
    return printf("packed %d: %d rows, %d to %d\n", case_number, (int)f->rows, (int)f->in_features,
                  (int)f->out_features);
  }
  pack(c->window_height * c->window_width * c->in_channels, c->out_channels, c->input_offset, packed);
  portable_conv_2d_s8(c, x, w, bias, mantissas, shifts, z);
  etx_conv_2d_dot_s8(c, x, packed, y);
  return memcmp(y, z, SIZE) != 0 ? printf("packed convolution %d\n", case_number) : 0;
}
#else
static int dot_differs(const etx_fully_connected_params *f, const etx_convolution_params *c, int case_number) {
  return f == 0 && c == 0 && case_number == 0;
}
#endif

static int add_differs(int case_number) {
  etx_add_params p;
  memset(&p, 0, sizeof p);
  const int32_t row = draw(1, 40), rows = draw(1, 5);
  const int is_vector = draw(0, 2) == 0, is_scalar = draw(0, 3) == 0;
  p.dims[0] = p.dims[1] = 1;
  p.dims[2] = rows;
  p.dims[3] = row;
  p.a_steps[2] = row;
  p.a_steps[3] = 1;
  p.b_steps[2] = is_vector ? 0 : row;
  p.b_steps[3] = is_scalar ? 0 : 1;
  p.left_shift = 20;
  p.sign = draw(0, 1) ? 1 : -1;
  p.a_offset = draw(-127, 128);
  p.b_offset = draw(-127, 128);
  p.a_mantissa = mantissas[0];
  p.b_mantissa = mantissas[1];
  p.mantissa = mantissas[2];
  p.a_shift = draw(-12, 0);
  p.b_shift = draw(-12, 0);
  p.shift = draw(-22, -10);
  p.output_offset = draw(-128, 127);
  p.low = draw(0, 1) ? -128 : p.output_offset;
  p.high = 127;
  portable_add_s8(&p, x, w, z);
  memcpy(y, x, SIZE); /* in place, as compiled models do */
  etx_add_s8(&p, y, w, y);
  memcpy(z + row * rows, x + row * rows, (size_t)(SIZE - row * rows));
  return memcmp(y, z, SIZE) != 0 ? printf("sum %d: %d of %d\n", case_number, (int)rows, (int)row) : 0;
}

/* Keys and values end where memory does. */
static int attention_differs(int case_number) {
  static int32_t scores[CHANNELS];
  etx_attention_params p;
  memset(&p, 0, sizeof p);
  p.query_length = draw(1, 9);
  p.key_length = draw(1, CHANNELS);
  p.heads = draw(1, 3);
  p.head_size = draw(1, 36);
  p.look_back = draw(0, 3) ? 1000 : draw(0, 20);
  p.look_ahead = draw(0, 3) ? 1000 : draw(0, 5);
  p.first = draw(0, p.key_length - 1);
  if (p.first + p.query_length > p.key_length) {
    p.query_length = p.key_length - p.first;
  }
  p.score_shift = draw(0, 12);
  p.score_mantissa = draw(1 << 6, 1 << 20);
  const int64_t sixteen_octaves = ((int64_t)16 << (16 + p.score_shift)) / p.score_mantissa;
  const int32_t most = INT32_MAX / p.score_mantissa;
  p.difference_max = sixteen_octaves < most ? (int32_t)sixteen_octaves : most;
  p.weight_shift = draw(0, 3);
  p.output_mantissa = mantissas[3] | 1 << 30;
  p.output_shift = draw(-6, 3);
  p.output_offset = draw(-128, 127);
  const int32_t width = p.heads * p.head_size;
  const int8_t *k = x + SIZE - width * p.key_length, *v = w + SIZE - width * p.key_length;
  portable_attention_s8(&p, x, k, v, z, scores);
  etx_attention_s8(&p, x, k, v, y, scores);
  return memcmp(y, z, SIZE) != 0 ? printf("attention %d: %d keys\n", case_number, (int)p.key_length) : 0;
}

int main(void) {
  x = guarded();
  w = guarded();
  for (int n = 0; n < CASES; ++n) {
    fill(n);
    etx_fully_connected_params f;
    memset(&f, 0, sizeof f);
    f.rows = draw(1, 19);
    f.in_features = draw(1, 130);
    f.out_features = draw(1, CHANNELS);
    f.input_offset = draw(-127, 128);
    f.output_offset = draw(-128, 127);
    f.low = draw(0, 1) ? -128 : f.output_offset;
    f.high = 127;
    portable_fully_connected_s8(&f, x, w, bias, mantissas, shifts, z);
    etx_fully_connected_s8(&f, x, w, bias, mantissas, shifts, y);
    if (memcmp(y, z, SIZE) != 0) {
      printf("fully connected %d: %d rows, %d to %d\n", n, (int)f.rows, (int)f.in_features, (int)f.out_features);
      return 1;
    }
    etx_convolution_params c;
    memset(&c, 0, sizeof c);
    c.in_height = draw(1, 9);
    c.in_width = draw(1, 9);
    c.in_channels = draw(1, 20);
    c.window_height = draw(1, 3);
    c.window_width = draw(1, 3);
    c.stride_height = draw(1, 2);
    c.stride_width = draw(1, 2);
    c.dilation_height = draw(1, 2);
    c.dilation_width = draw(1, 2);
    c.pad_top = draw(0, 2);
    c.pad_left = draw(0, 2);
    c.out_height = draw(1, 5);
    c.out_width = draw(1, 5);
    c.out_channels = draw(1, 20);
    c.input_offset = f.input_offset;
    c.output_offset = f.output_offset;
    c.low = f.low;
    c.high = f.high;
    portable_conv_2d_s8(&c, x, w, bias, mantissas, shifts, z);
    etx_conv_2d_s8(&c, x, w, bias, mantissas, shifts, y);
    if (memcmp(y, z, SIZE) != 0) {
      printf("convolution %d\n", n);
      return 1;
    }
    if (dot_differs(&f, &c, n)) {
      return 1;
    }
    c.in_channels = draw(0, 3) ? draw(1, CHANNELS) : draw(1, 9);
    c.out_channels = draw(0, 3) ? c.in_channels : c.in_channels * draw(1, CHANNELS / c.in_channels);
    c.window_height = draw(0, 3) ? 3 : draw(1, 12);
    c.window_width = draw(0, 3) ? 3 : draw(1, 12);
    portable_depthwise_conv_2d_s8(&c, x, w, bias, mantissas, shifts, z);
    etx_depthwise_conv_2d_s8(&c, x, w, bias, mantissas, shifts, y);
    if (memcmp(y, z, SIZE) != 0) {
      printf("depthwise convolution %d: %d channels\n", n, (int)c.out_channels);
      return 1;
    }
    etx_pool_params a;
    memset(&a, 0, sizeof a);
    a.in_height = draw(2, 9);
    a.in_width = draw(2, 9);
    a.in_channels = a.out_channels = c.in_channels;
    a.window_height = draw(2, 4);
    a.window_width = draw(2, 4);
    a.stride_height = draw(1, 2);
    a.stride_width = draw(1, 2);
    a.pad_top = draw(0, 1);
    a.pad_left = draw(0, 1);
    a.out_height = draw(1, 1 + (a.in_height - 1) / a.stride_height);
    a.out_width = draw(1, 1 + (a.in_width - 1) / a.stride_width);
    a.low = f.low;
    a.high = f.high;
    portable_average_pool_2d_s8(&a, x, z);
    etx_average_pool_2d_s8(&a, x, y);
    if (memcmp(y, z, SIZE) != 0) {
      printf("average pooling %d: %d channels\n", n, (int)a.out_channels);
      return 1;
    }
    memset(y, 1, SIZE);
    memset(z, 1, SIZE);
    if (attention_differs(n) || add_differs(n)) {
      return 1;
    }
  }
  printf("%d cases equal\n", CASES);
  return 0;
}
