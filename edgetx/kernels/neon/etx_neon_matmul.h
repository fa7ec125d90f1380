/* Four rows times four columns of weights at a time, and the way back to int8. */
#ifndef ETX_NEON_MATMUL_H
#define ETX_NEON_MATMUL_H

#include "etx_kernels.h"
#include "etx_neon_dot.h"
#include "etx_neon_output.h"

/* Elsewhere, as on the host that checks the sources, the same in plain C. */
enum { ETX_TILE = 4, ETX_CHUNK = 512 };

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
/* All bits of the last `count` lanes. */
static inline int8x16_t etx_last_lanes(int32_t count) {
  static const int8_t steps[2 * ETX_STEP] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                             -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  return vld1q_s8(steps + count);
}

/* The last 16 of a row; all of a shorter one, and zeros behind it. */
static inline int8x16_t etx_load_end(const int8_t *row, int32_t depth) {
  return depth >= ETX_STEP ? vld1q_s8(row + depth - ETX_STEP) : etx_load_tail(row, depth);
}

static inline int32x4_t etx_sum_each(const int32x4_t sums[ETX_TILE]) {
  return vpaddq_s32(vpaddq_s32(sums[0], sums[1]), vpaddq_s32(sums[2], sums[3]));
}

/* Keeps compilers from moving loads down to the products that need them, where cores that issue in order would wait. */
#define ETX_LOADED(v) __asm__("" : "+w"((v)[0]), "+w"((v)[1]), "+w"((v)[2]), "+w"((v)[3]))

/* Sums of products of `rows` rows and 4 columns and, if `sums` is given, of the columns alone. `is_narrow`: no weight
 * is -128. Always inlined, so that the sums stay in registers and what is not asked for is left out. */
__attribute__((always_inline)) static inline void etx_tile(const int8_t *const x[ETX_TILE], int32_t rows,
                                                           const int8_t *const w[ETX_TILE], int32_t depth,
                                                           int32x4_t acc[ETX_TILE], int32x4_t *sums,
                                                           int is_narrow) {
  int32x4_t a[ETX_TILE][ETX_TILE], s[ETX_TILE];
  int32_t k = 0;
#pragma GCC unroll 4
  for (int32_t c = 0; c < ETX_TILE; ++c) {
    s[c] = vdupq_n_s32(0);
#pragma GCC unroll 4
    for (int32_t r = 0; r < rows; ++r) {
      a[r][c] = vdupq_n_s32(0);
    }
  }
  for (; k + ETX_STEP <= depth; k += ETX_STEP) {
    int8x16_t column[ETX_TILE], row[ETX_TILE];
#pragma GCC unroll 4
    for (int32_t c = 0; c < ETX_TILE; ++c) {
      column[c] = vld1q_s8(w[c] + k);
    }
    ETX_LOADED(column);
#pragma GCC unroll 4
    for (int32_t r = 0; r < rows; ++r) {
      row[r] = vld1q_s8(x[r] + k);
    }
    if (rows == ETX_TILE && ETX_LOADS_ROWS_FIRST) {
      ETX_LOADED(row);
    }
#pragma GCC unroll 4
    for (int32_t r = 0; r < rows; ++r) {
#pragma GCC unroll 4
      for (int32_t c = 0; c < ETX_TILE; ++c) {
        a[r][c] = is_narrow ? etx_dot16_narrow(a[r][c], row[r], column[c]) : etx_dot16(a[r][c], row[r], column[c]);
      }
    }
    if (sums) {
#pragma GCC unroll 4
      for (int32_t c = 0; c < ETX_TILE; ++c) {
        s[c] = etx_sum16(s[c], column[c]);
      }
    }
  }
  if (k < depth) {
    int8x16_t row[ETX_TILE];
    const int8x16_t fresh = etx_last_lanes(depth >= ETX_STEP ? depth - k : ETX_STEP);
#pragma GCC unroll 4
    for (int32_t r = 0; r < rows; ++r) {
      row[r] = etx_load_end(x[r], depth);
    }
#pragma GCC unroll 4
    for (int32_t c = 0; c < ETX_TILE; ++c) {
      const int8x16_t column = vandq_s8(etx_load_end(w[c], depth), fresh);
      s[c] = sums ? etx_sum16(s[c], column) : s[c];
#pragma GCC unroll 4
      for (int32_t r = 0; r < rows; ++r) {
        a[r][c] = etx_dot16(a[r][c], row[r], column);
      }
    }
  }
#pragma GCC unroll 4
  for (int32_t r = 0; r < rows; ++r) {
    acc[r] = etx_sum_each(a[r]);
  }
  if (sums) {
    *sums = etx_sum_each(s);
  }
}

/* The columns of weights from `first` on; those behind the last repeat the first. */
static inline void etx_columns(const int8_t *w, int32_t depth, int32_t columns, const int8_t *column[ETX_TILE]) {
#pragma GCC unroll 4
  for (int32_t c = 0; c < ETX_TILE; ++c) {
    column[c] = w + (c < columns ? c : 0) * depth;
  }
}

static inline int32x4_t etx_load_four(const int32_t *from, int32_t count) {
  int32_t padded[ETX_TILE] = {0};
  if (count >= ETX_TILE) {
    return vld1q_s32(from);
  }
  for (int32_t c = 0; c < count; ++c) {
    padded[c] = from[c];
  }
  return vld1q_s32(padded);
}

/* Whether no weight is -128. */
static inline int etx_is_narrow(const int8_t *w, int32_t count) {
  int8x16_t least = vdupq_n_s8(0);
  int32_t k = 0;
  for (; k + 2 * ETX_STEP <= count; k += 2 * ETX_STEP) {
    least = vminq_s8(least, vminq_s8(vld1q_s8(w + k), vld1q_s8(w + k + ETX_STEP)));
  }
  for (; k < count; k += ETX_STEP) {
    least = vminq_s8(least, etx_load_tail(w + k, count - k < ETX_STEP ? count - k : ETX_STEP));
  }
  return vminvq_s8(least) > -128;
}

/* Biases with what the offset of the inputs adds, of `channels` (at most ETX_CHUNK) channels; whether no weight is
 * -128. */
static inline int etx_fold_offsets(const int8_t *w, int32_t depth, int32_t channels, const etx_neon_output *out,
                                    int32_t folded[ETX_CHUNK]) {
  for (int32_t first = 0; first < channels; first += ETX_TILE) {
    const int8_t *column[ETX_TILE];
    int32x4_t none[ETX_TILE], sums;
    const int32_t columns = channels - first < ETX_TILE ? channels - first : ETX_TILE;
    etx_columns(w + first * depth, depth, columns, column);
    etx_tile(0, 0, column, depth, none, &sums, 0);
    vst1q_s32(folded + first, vmlaq_n_s32(etx_load_four(out->bias + first, columns), sums, out->input_offset));
  }
  return ETX_HAS_NARROW && etx_is_narrow(w, depth * channels);
}

static inline void etx_store_tile(const int32x4_t acc[ETX_TILE], int32x4_t start, int32_t rows, int32_t first,
                                  int32_t columns, const etx_neon_output *out, int8_t *y, int32_t stride) {
  const int32x4_t mantissas = etx_load_four(out->mantissas + first, columns);
  const int32x4_t shifts = etx_load_four(out->shifts + first, columns);
  int32x4_t scaled[ETX_TILE];
#pragma GCC unroll 4
  for (int32_t r = 0; r < ETX_TILE; ++r) {
    scaled[r] = etx_scale_four(vaddq_s32(acc[r], start), mantissas, shifts);
  }
  const int32x4_t words = vreinterpretq_s32_s8(etx_narrow_all(scaled, out->output_offset, out->low, out->high));
  if (rows == ETX_TILE && columns == ETX_TILE) {
    const int32_t word[ETX_TILE] = {vgetq_lane_s32(words, 0), vgetq_lane_s32(words, 1), vgetq_lane_s32(words, 2),
                                    vgetq_lane_s32(words, 3)};
#pragma GCC unroll 4
    for (int32_t r = 0; r < ETX_TILE; ++r) {
      __builtin_memcpy(y + r * stride + first, &word[r], sizeof word[r]);
    }
    return;
  }
  int32_t some[ETX_TILE];
  vst1q_s32(some, words);
  for (int32_t r = 0; r < rows; ++r) {
    __builtin_memcpy(y + r * stride + first, &some[r], (uint32_t)columns);
  }
}

/* y[rows][channels] = requantize(x[rows][depth] * w[channels][depth]), rows at most 4; x is given row by row, and
 * rows of y are `stride` apart. `folded` comes from etx_fold_offsets; without, weights are summed on the way. */
static inline void etx_matmul_rows(const int8_t *const x[ETX_TILE], int32_t rows, const int8_t *w, int32_t depth,
                                   int32_t channels, const etx_neon_output *out, const int32_t *folded, int is_narrow,
                                   int8_t *y, int32_t stride) {
  for (int32_t first = 0; first < channels; first += ETX_TILE) {
    const int32_t columns = channels - first < ETX_TILE ? channels - first : ETX_TILE;
    const int8_t *column[ETX_TILE];
    int32x4_t acc[ETX_TILE], sums, start;
    etx_columns(w + first * depth, depth, columns, column);
    if (folded) {
      if (ETX_HAS_NARROW && is_narrow) {
        etx_tile(x, ETX_TILE, column, depth, acc, 0, 1);
      } else {
        etx_tile(x, ETX_TILE, column, depth, acc, 0, 0);
      }
      start = vld1q_s32(folded + first);
    } else {
      if (rows == 1) {
        etx_tile(x, 1, column, depth, acc, &sums, 0);
        acc[1] = acc[2] = acc[3] = acc[0];
      } else {
        etx_tile(x, ETX_TILE, column, depth, acc, &sums, 0);
      }
      start = vmlaq_n_s32(etx_load_four(out->bias + first, columns), sums, out->input_offset);
    }
    etx_store_tile(acc, start, rows, first, columns, out, y, stride);
  }
}

#else
static inline int etx_fold_offsets(const int8_t *w, int32_t depth, int32_t channels, const etx_neon_output *out,
                                    int32_t folded[ETX_CHUNK]) {
  for (int32_t c = 0; c < channels; ++c) {
    int32_t sum = 0;
    for (int32_t k = 0; k < depth; ++k) {
      sum += w[c * depth + k];
    }
    folded[c] = out->bias[c] + out->input_offset * sum;
  }
  return 0;
}

static inline void etx_matmul_rows(const int8_t *const x[ETX_TILE], int32_t rows, const int8_t *w, int32_t depth,
                                   int32_t channels, const etx_neon_output *out, const int32_t *folded, int is_narrow,
                                   int8_t *y, int32_t stride) {
  (void)is_narrow;
  for (int32_t r = 0; r < rows; ++r) {
    for (int32_t c = 0; c < channels; ++c) {
      int32_t acc = folded ? folded[c] : out->bias[c];
      for (int32_t k = 0; k < depth; ++k) {
        acc += (x[r][k] + (folded ? 0 : out->input_offset)) * w[c * depth + k];
      }
      y[r * stride + c] =
          (int8_t)etx_requantize(acc, out->mantissas[c], out->shifts[c], out->output_offset, out->low, out->high);
    }
  }
}
#endif

/* What channels from `first` on need. */
static inline etx_neon_output etx_output_from(const etx_neon_output *out, int32_t first) {
  etx_neon_output rest = *out;
  rest.bias += first;
  rest.mantissas += first;
  rest.shifts += first;
  return rest;
}

#endif
