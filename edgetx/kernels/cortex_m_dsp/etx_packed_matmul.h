/* Matrix product with weights packed by edgetx/plan/packing.py.
 *
 * Four outputs share a block of words: where the sums A, 256 * B + A, C and 256 * D + C begin, then per pair
 * of inputs the weights of the first and of the last two outputs. A 16-bit lane of them is 256 * b + a.
 * Multiplied as it is, it adds to 256 * B + A; its low byte, extended, to A: only half of the weights are
 * ever extended.
 */
#ifndef ETX_PACKED_MATMUL_H
#define ETX_PACKED_MATMUL_H

#include "etx_dsp.h"
#include "etx_rescale.h"

typedef struct {
  int32_t a, ab, c, cd;
} etx_sums;

typedef struct {
  const int32_t *weights;
  const etx_rescaling *rescaling; /* one per output */
  int32_t inputs;                 /* as a multiple of four */
  int32_t outputs;
  etx_limits limits;
} etx_packed_layer;

/* Pairs of inputs in 16 bits, of two rows in turn. The loops over them need all registers: their ends stay in
 * memory.
 */
typedef struct {
  const int32_t *start;
  const int32_t *end_of_eights; /* behind the last eight pairs */
  const int32_t *end;           /* an even number of pairs */
} etx_two_rows;

/* Adds one pair of inputs. */
static inline void etx_add_pair(int32_t x, const int32_t *w, etx_sums *sums) {
  sums->ab = etx_dot(x, w[0], sums->ab);
  sums->cd = etx_dot(x, w[1], sums->cd);
  sums->a = etx_dot(x, etx_extend_even(w[0]), sums->a);
  sums->c = etx_dot(x, etx_extend_even(w[1]), sums->c);
}

#if defined(__ARM_FEATURE_DSP)
#define ETX_ADD_PAIR                     \
  "ldrd %[w0], %[w1], [%[w]], #8\n"      \
  "ldrd %[x0], %[x1], [%[x]], #8\n"      \
  "smlad %[ab0], %[x0], %[w0], %[ab0]\n" \
  "smlad %[ab1], %[x1], %[w0], %[ab1]\n" \
  "smlad %[cd0], %[x0], %[w1], %[cd0]\n" \
  "smlad %[cd1], %[x1], %[w1], %[cd1]\n" \
  "sxtb16 %[w0], %[w0]\n"                \
  "sxtb16 %[w1], %[w1]\n"                \
  "smlad %[a0], %[x0], %[w0], %[a0]\n"   \
  "smlad %[a1], %[x1], %[w0], %[a1]\n"   \
  "smlad %[c0], %[x0], %[w1], %[c0]\n"   \
  "smlad %[c1], %[x1], %[w1], %[c1]\n"
#endif

/* Adds both rows times the weights of a block. */
static inline void etx_add_rows(const etx_two_rows *rows, const int32_t *w, etx_sums *first,
                                etx_sums *second) {
  const int32_t *x = rows->start;
#if defined(__ARM_FEATURE_DSP)
  int32_t x0, x1, w0, w1;
  __asm__(
      "ldr %[x0], %[end8]\n"
      "cmp %[x], %[x0]\n"
      "beq 2f\n"
      ".balign 4\n"
      "1:\n"
      ".rept 8\n" ETX_ADD_PAIR
      ".endr\n"
      "ldr %[x0], %[end8]\n"
      "cmp %[x], %[x0]\n"
      "bne 1b\n"
      "2:\n"
      "ldr %[x0], %[end]\n"
      "cmp %[x], %[x0]\n"
      "beq 4f\n"
      ".balign 4\n"
      "3:\n"
      ".rept 2\n" ETX_ADD_PAIR
      ".endr\n"
      "ldr %[x0], %[end]\n"
      "cmp %[x], %[x0]\n"
      "bne 3b\n"
      "4:\n"
      : [x] "+r"(x), [w] "+r"(w), [a0] "+r"(first->a), [ab0] "+r"(first->ab), [c0] "+r"(first->c),
        [cd0] "+r"(first->cd), [a1] "+r"(second->a), [ab1] "+r"(second->ab), [c1] "+r"(second->c),
        [cd1] "+r"(second->cd), [x0] "=&r"(x0), [x1] "=&r"(x1), [w0] "=&r"(w0), [w1] "=&r"(w1)
      : [end] "m"(rows->end), [end8] "m"(rows->end_of_eights)
      : "cc", "memory");
#else
  for (; x != rows->end; x += 2, w += 2) {
    etx_add_pair(x[0], w, first);
    etx_add_pair(x[1], w, second);
  }
#endif
}

/* Rescales the sums of two outputs, a and 256 * b + a, of two rows. */
static inline void etx_rescale_sums(int32_t *a, int32_t *ab, int32_t *a_below, int32_t *ab_below,
                                    const etx_rescaling *by) {
  *ab = (int32_t)((uint32_t)*ab - (uint32_t)*a) >> 7;
  *ab_below = (int32_t)((uint32_t)*ab_below - (uint32_t)*a_below) >> 7;
  *a *= 2;
  *a_below *= 2;
  etx_rescale_two(a, a_below, by);
  etx_rescale_two(ab, ab_below, by + 1);
}

/* Two rows that lie expanded in x, in turn. */
static inline void etx_multiply_two_rows(const etx_packed_layer *layer, const int32_t *x, int8_t *y) {
  const etx_two_rows rows = {x, x + (layer->inputs & ~15), x + layer->inputs};
  const int32_t *w = layer->weights;
  const etx_rescaling *by = layer->rescaling;
  int8_t *below = y + layer->outputs;
  for (const int8_t *const end = below; y < end; y += 4, below += 4, by += 4) {
    etx_sums first = {w[0], w[1], w[2], w[3]}, second = first;
    etx_add_rows(&rows, w + 4, &first, &second);
    w += 4 + layer->inputs;
    etx_rescale_sums(&first.a, &first.ab, &second.a, &second.ab, by);
    etx_rescale_sums(&first.c, &first.cd, &second.c, &second.cd, by + 2);
    const int32_t results = etx_pack_s8x4(first.a, first.ab, first.c, first.cd);
    const int32_t results_below = etx_pack_s8x4(second.a, second.ab, second.c, second.cd);
    etx_store_results(y, results, (int32_t)(end - y), layer->limits);
    etx_store_results(below, results_below, (int32_t)(end - y), layer->limits);
  }
}

/* One row that lies expanded in x. */
static inline void etx_multiply_row(const etx_packed_layer *layer, const int32_t *x, int8_t *y) {
  const int32_t *w = layer->weights;
  const etx_rescaling *by = layer->rescaling;
  for (const int8_t *const end = y + layer->outputs; y < end; y += 4, by += 4) {
    etx_sums sums = {w[0], w[1], w[2], w[3]};
    w += 4;
    for (int32_t i = 0; i < layer->inputs / 2; ++i) {
      etx_add_pair(x[i], w, &sums);
      w += 2;
    }
    etx_sums ignored = sums;
    etx_rescale_sums(&sums.a, &sums.ab, &ignored.a, &ignored.ab, by);
    etx_rescale_sums(&sums.c, &sums.cd, &ignored.c, &ignored.cd, by + 2);
    etx_store_results(y, etx_pack_s8x4(sums.a, sums.ab, sums.c, sums.cd), (int32_t)(end - y), layer->limits);
  }
}

/* A row of int8 as pairs of int16 lanes, every `step` words; zeros behind it. */
static inline void etx_expand_row(const int8_t *row, int32_t size, int32_t step, int32_t *x) {
  const int8_t *const end = row + (size & ~3);
  for (; row != end; row += 4, x += 2 * step) {
    const int32_t word = etx_load_s8x4(row);
    x[0] = etx_extend_even(word);
    x[step] = etx_extend_odd(word);
  }
  if ((size & 3) != 0) {
    const int32_t word = etx_load_bytes(row, size & 3);
    x[0] = etx_extend_even(word);
    x[step] = etx_extend_odd(word);
  }
}

#endif
