/* Four rows times four columns of weights at a time, and the way back to int8. */
#ifndef ETX_NEON_MATMUL_H
#define ETX_NEON_MATMUL_H

#include "etx_kernels.h"
#include "etx_neon_dot.h"

/* Elsewhere, as on the host that checks the sources, the same in plain C. */
enum { ETX_TILE = 4, ETX_STEP = 16 };

/* What turns accumulators of `channels` outputs into int8, as etx_requantize does. */
typedef struct {
  const int32_t *bias;
  const int32_t *mantissas;
  const int32_t *shifts;
  int32_t input_offset;
  int32_t output_offset;
  int32_t low;
  int32_t high;
} etx_neon_output;

#if defined(__ARM_NEON)
static inline int8x16_t etx_load_tail(const int8_t *from, int32_t count) {
  int8_t padded[ETX_STEP] = {0};
  __builtin_memcpy(padded, from, (uint32_t)count);
  return vld1q_s8(padded);
}

static inline int32x4_t etx_sum_each(const int32x4_t sums[ETX_TILE]) {
  return vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3]));
}

/* The sums of four columns of weights. */
static inline int32x4_t etx_weight_sums(const int8_t *const w[ETX_TILE], int32_t depth) {
  int32x4_t sums[ETX_TILE];
  for (int32_t c = 0; c < ETX_TILE; ++c) {
    int32_t k = 0;
    sums[c] = vdupq_n_s32(0);
    for (; k + ETX_STEP <= depth; k += ETX_STEP) {
      sums[c] = vpadalq_s16(sums[c], vpaddlq_s8(vld1q_s8(w[c] + k)));
    }
    if (k < depth) {
      sums[c] = vpadalq_s16(sums[c], vpaddlq_s8(etx_load_tail(w[c] + k, depth - k)));
    }
  }
  return etx_sum_each(sums);
}

static inline int32x4_t etx_requantize_four(int32x4_t acc, int32x4_t mantissa, int32x4_t shift,
                                            const etx_neon_output *out) {
  const int32x4_t zero = vdupq_n_s32(0);
  const int32x4_t right = vminq_s32(shift, zero);
  const int32x4_t high = vqrdmulhq_s32(vshlq_s32(acc, vmaxq_s32(shift, zero)), mantissa);
  /* SRSHL rounds ties upwards; one less where that is towards zero. */
  const int32x4_t nudged = vqaddq_s32(high, vshrq_n_s32(vandq_s32(high, right), 31));
  const int32x4_t scaled = vrshlq_s32(nudged, right);
  const int32x4_t low = vdupq_n_s32(out->low - out->output_offset), top = vdupq_n_s32(out->high - out->output_offset);
  return vaddq_s32(vminq_s32(vmaxq_s32(scaled, low), top), vdupq_n_s32(out->output_offset));
}

/* Accumulators of `rows` (at most 4) rows and 4 columns without their offsets. */
static inline void etx_tile(const int8_t *const x[ETX_TILE], const int8_t *const w[ETX_TILE], int32_t depth,
                            int32x4_t acc[ETX_TILE]) {
  int32x4_t a[ETX_TILE][ETX_TILE];
  int32_t k = 0;
  for (int32_t r = 0; r < ETX_TILE; ++r) {
    for (int32_t c = 0; c < ETX_TILE; ++c) {
      a[r][c] = vdupq_n_s32(0);
    }
  }
  for (; k + ETX_STEP <= depth; k += ETX_STEP) {
    const int8x16_t w0 = vld1q_s8(w[0] + k), w1 = vld1q_s8(w[1] + k), w2 = vld1q_s8(w[2] + k),
                    w3 = vld1q_s8(w[3] + k);
#pragma GCC unroll 4
    for (int32_t r = 0; r < ETX_TILE; ++r) {
      const int8x16_t row = vld1q_s8(x[r] + k);
      a[r][0] = etx_dot16(a[r][0], row, w0);
      a[r][1] = etx_dot16(a[r][1], row, w1);
      a[r][2] = etx_dot16(a[r][2], row, w2);
      a[r][3] = etx_dot16(a[r][3], row, w3);
    }
  }
  if (k < depth) {
    for (int32_t c = 0; c < ETX_TILE; ++c) {
      const int8x16_t column = etx_load_tail(w[c] + k, depth - k);
      for (int32_t r = 0; r < ETX_TILE; ++r) {
        a[r][c] = etx_dot16(a[r][c], etx_load_tail(x[r] + k, depth - k), column);
      }
    }
  }
  for (int32_t r = 0; r < ETX_TILE; ++r) {
    acc[r] = etx_sum_each(a[r]);
  }
}

/* y[rows][channels] = requantize(x[rows][depth] * w[channels][depth]), rows at most 4; x is given row by row. */
static inline void etx_matmul_rows(const int8_t *const x[ETX_TILE], int32_t rows, const int8_t *w, int32_t depth,
                                   int32_t channels, const etx_neon_output *out, int8_t *y) {
  for (int32_t first = 0; first < channels; first += ETX_TILE) {
    const int32_t columns = channels - first < ETX_TILE ? channels - first : ETX_TILE;
    int32_t bias[ETX_TILE] = {0}, mantissas[ETX_TILE] = {0}, shifts[ETX_TILE] = {0};
    const int8_t *column[ETX_TILE];
    int32x4_t acc[ETX_TILE];
    for (int32_t c = 0; c < ETX_TILE; ++c) {
      const int32_t channel = first + (c < columns ? c : 0);
      column[c] = w + channel * depth;
      bias[c] = out->bias[channel];
      mantissas[c] = out->mantissas[channel];
      shifts[c] = out->shifts[channel];
    }
    etx_tile(x, column, depth, acc);
    const int32x4_t start = vmlaq_n_s32(vld1q_s32(bias), etx_weight_sums(column, depth), out->input_offset);
    for (int32_t r = 0; r < rows; ++r) {
      int32_t four[ETX_TILE];
      vst1q_s32(four, etx_requantize_four(vaddq_s32(acc[r], start), vld1q_s32(mantissas), vld1q_s32(shifts), out));
      for (int32_t c = 0; c < columns; ++c) {
        y[r * channels + first + c] = (int8_t)four[c];
      }
    }
  }
}

#else
static inline void etx_matmul_rows(const int8_t *const x[ETX_TILE], int32_t rows, const int8_t *w, int32_t depth,
                                   int32_t channels, const etx_neon_output *out, int8_t *y) {
  for (int32_t r = 0; r < rows; ++r) {
    for (int32_t c = 0; c < channels; ++c) {
      int32_t acc = out->bias[c];
      for (int32_t k = 0; k < depth; ++k) {
        acc += (x[r][k] + out->input_offset) * w[c * depth + k];
      }
      *y++ = (int8_t)etx_requantize(acc, out->mantissas[c], out->shifts[c], out->output_offset, out->low, out->high);
    }
  }
}
#endif

#endif
