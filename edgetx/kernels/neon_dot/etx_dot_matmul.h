/* Eight rows times eight columns of packed weights at a time, by dot products with one lane of a row. */
#ifndef ETX_DOT_MATMUL_H
#define ETX_DOT_MATMUL_H

#include "etx_kernels.h"
#include "etx_neon_output.h"

enum { ETX_ROWS = 8, ETX_COLUMNS = 8, ETX_HEADER = 3 * ETX_COLUMNS };

/* What turns `columns` sums of a row into int8. A block of packed weights, see edgetx/plan/packing, is for eight
 * columns: their biases, mantissas and shifts, then for every four inputs a word of each column. */
typedef struct {
  int32_t depth;
  int32_t columns;
  int32_t output_offset;
  int32_t low;
  int32_t high;
} etx_dot_layer;

static inline int32_t etx_block_words(int32_t depth) { return ETX_HEADER + ETX_COLUMNS * ((depth + 3) / 4); }

#if defined(__ARM_NEON)
/* Four inputs of eight columns. */
typedef struct {
  int8x16_t left, right;
} etx_words;

static inline etx_words etx_load_words(const int32_t *w) {
  const etx_words words = {vreinterpretq_s8_s32(vld1q_s32(w)), vreinterpretq_s8_s32(vld1q_s32(w + 4))};
  return words;
}

/* Keeps compilers from moving a load down to the products that need it, where cores that issue in order would wait. */
#define ETX_LOADED(words) __asm__("" : "+w"((words).left), "+w"((words).right))

/* Keeps sums from being added to again before all others were: each takes some cycles. */
#define ETX_SETTLED(r) __asm__("" : "+w"(acc[r][0]), "+w"(acc[r][1]), "+w"(acc[(r) + 1][0]), "+w"(acc[(r) + 1][1]))

/* Adds to all sums the products of words and of the four inputs of each row's lane. */
#define ETX_DOT_LANE(words, lane)                                         \
  do {                                                                    \
    _Pragma("GCC unroll 8") for (int32_t r = 0; r < rows; ++r) {          \
      acc[r][0] = vdotq_laneq_s32(acc[r][0], (words).left, row[r], lane);  \
      acc[r][1] = vdotq_laneq_s32(acc[r][1], (words).right, row[r], lane); \
    }                                                                     \
    _Pragma("GCC unroll 4") for (int32_t r = 0; r + 1 < rows; r += 2) {   \
      ETX_SETTLED(r);                                                     \
    }                                                                     \
  } while (0)

/* What is left of a row behind whole steps, zeros behind it. */
static inline int8x16_t etx_load_rest(const int8_t *row, int32_t depth, int32_t left) {
  static const uint8_t places[ETX_STEP] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  if (depth < ETX_STEP) {
    return etx_load_tail(row, left);
  }
  const uint8x16_t from = vaddq_u8(vld1q_u8(places), vdupq_n_u8((uint8_t)(ETX_STEP - left)));
  return vqtbl1q_s8(vld1q_s8(row + depth - ETX_STEP), from);
}

/* Always inlined, so that the sums stay in registers. */
__attribute__((always_inline)) static inline void etx_dot_tile(const int8_t *const x[ETX_ROWS], int32_t rows,
                                                               const int32_t *block, int32_t depth,
                                                               int32x4_t acc[ETX_ROWS][2]) {
  const int32_t *w = block + ETX_HEADER;
  int8x16_t row[ETX_ROWS];
  int32_t k = 0;
#pragma GCC unroll 8
  for (int32_t r = 0; r < rows; ++r) {
    acc[r][0] = vld1q_s32(block);
    acc[r][1] = vld1q_s32(block + 4);
  }
  for (; k + ETX_STEP <= depth; k += ETX_STEP, w += 4 * ETX_COLUMNS) {
#pragma GCC unroll 8
    for (int32_t r = 0; r < rows; ++r) {
      row[r] = vld1q_s8(x[r] + k);
    }
    etx_words even = etx_load_words(w), odd = etx_load_words(w + ETX_COLUMNS);
    ETX_LOADED(even);
    ETX_LOADED(odd);
    ETX_DOT_LANE(even, 0);
    even = etx_load_words(w + 2 * ETX_COLUMNS);
    ETX_LOADED(even);
    ETX_DOT_LANE(odd, 1);
    odd = etx_load_words(w + 3 * ETX_COLUMNS);
    ETX_LOADED(odd);
    ETX_DOT_LANE(even, 2);
    ETX_DOT_LANE(odd, 3);
  }
  const int32_t left = depth - k;
  if (left == 0) {
    return;
  }
#pragma GCC unroll 8
  for (int32_t r = 0; r < rows; ++r) {
    row[r] = etx_load_rest(x[r], depth, left);
  }
  ETX_DOT_LANE(etx_load_words(w), 0);
  if (left > 4) {
    ETX_DOT_LANE(etx_load_words(w + ETX_COLUMNS), 1);
  }
  if (left > 8) {
    ETX_DOT_LANE(etx_load_words(w + 2 * ETX_COLUMNS), 2);
  }
  if (left > 12) {
    ETX_DOT_LANE(etx_load_words(w + 3 * ETX_COLUMNS), 3);
  }
}

/* Up to `rows` rows of up to eight columns; y is the first result. */
__attribute__((always_inline)) static inline void etx_dot_block(const etx_dot_layer *p, const int8_t *const x[ETX_ROWS],
                                                                int32_t rows, int32_t live, const int32_t *block,
                                                                int32_t columns, int8_t *y) {
  int32x4_t acc[ETX_ROWS][2];
  etx_dot_tile(x, rows, block, p->depth, acc);
  const int32x4_t mantissas[2] = {vld1q_s32(block + ETX_COLUMNS), vld1q_s32(block + ETX_COLUMNS + 4)};
  const int32x4_t shifts[2] = {vld1q_s32(block + 2 * ETX_COLUMNS), vld1q_s32(block + 2 * ETX_COLUMNS + 4)};
#pragma GCC unroll 4
  for (int32_t r = 0; r < rows; r += 2) {
    const int32_t next = r + 1 < rows ? r + 1 : r;
    const int32x4_t scaled[ETX_QUARTERS] = {
        etx_scale_four(acc[r][0], mantissas[0], shifts[0]), etx_scale_four(acc[r][1], mantissas[1], shifts[1]),
        etx_scale_four(acc[next][0], mantissas[0], shifts[0]), etx_scale_four(acc[next][1], mantissas[1], shifts[1])};
    const int8x16_t both = etx_narrow_all(scaled, p->output_offset, p->low, p->high);
    if (columns == ETX_COLUMNS && next < live) {
      vst1_s8(y + r * p->columns, vget_low_s8(both));
      vst1_s8(y + next * p->columns, vget_high_s8(both));
      continue;
    }
    if (r < live) {
      etx_store_some(y + r * p->columns, both, columns);
    }
    if (next != r && next < live) {
      etx_store_some(y + next * p->columns, vextq_s8(both, both, 8), columns);
    }
  }
}

/* Results of up to eight rows, whose pointers all lead to some row. */
static inline void etx_dot_rows(const etx_dot_layer *p, const int8_t *const x[ETX_ROWS], int32_t live,
                                const int32_t *packed, int8_t *y) {
  for (int32_t first = 0; first < p->columns; first += ETX_COLUMNS, packed += etx_block_words(p->depth)) {
    const int32_t columns = p->columns - first < ETX_COLUMNS ? p->columns - first : ETX_COLUMNS;
    if (live > 4) {
      etx_dot_block(p, x, 8, live, packed, columns, y + first);
    } else if (live > 1) {
      etx_dot_block(p, x, 4, live, packed, columns, y + first);
    } else {
      etx_dot_block(p, x, 1, live, packed, columns, y + first);
    }
  }
}
#else
static inline void etx_dot_rows(const etx_dot_layer *p, const int8_t *const x[ETX_ROWS], int32_t live,
                                const int32_t *packed, int8_t *y) {
  for (int32_t r = 0; r < live; ++r) {
    for (int32_t c = 0; c < p->columns; ++c) {
      const int32_t column = c % ETX_COLUMNS;
      const int32_t *block = packed + c / ETX_COLUMNS * etx_block_words(p->depth);
      uint32_t acc = (uint32_t)block[column];
      for (int32_t k = 0; k < p->depth; ++k) {
        const uint32_t word = (uint32_t)block[ETX_HEADER + k / 4 * ETX_COLUMNS + column];
        acc += (uint32_t)(x[r][k] * (int8_t)(uint8_t)(word >> k % 4 * 8 & 0xFFu));
      }
      y[r * p->columns + c] = (int8_t)etx_requantize((int32_t)acc, block[ETX_COLUMNS + column],
                                                     block[2 * ETX_COLUMNS + column], p->output_offset, p->low, p->high);
    }
  }
}
#endif

#endif
