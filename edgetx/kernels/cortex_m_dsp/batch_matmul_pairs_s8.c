#include "etx_kernels.h"
#include "etx_rescale.h"

/* Two columns without their zero point, in 16 bits: inputs 0 and 2 of either, then inputs 1 and 3, and so on. */
typedef struct {
  const int32_t *words;
  int32_t start, next_start; /* what the zero point of the rows adds to their sums */
} columns;

typedef struct {
  int32_t sum, next;             /* of a row, by column */
  int32_t sum_below, next_below; /* of the row below */
} sums;

static inline int32_t two_inputs(const int8_t *b, int32_t distance, int32_t offset) {
  return etx_pack_low(b[0] + offset, b[distance] + offset);
}

/* Four inputs, `step` bytes apart, of two columns, `next` bytes apart. */
static inline void expand_inputs(const int8_t *b, int32_t step, int32_t next, int32_t offset, int32_t *to) {
  to[0] = two_inputs(b, 2 * step, offset);
  to[1] = two_inputs(b + next, 2 * step, offset);
  to[2] = two_inputs(b + step, 2 * step, offset);
  to[3] = two_inputs(b + step + next, 2 * step, offset);
}

static void expand_last_inputs(const int8_t *b, int32_t step, int32_t next, int32_t offset, int32_t count,
                               int32_t *to) {
  int8_t two[8];
  etx_store_s8x4(two, etx_repeat_s8(-offset));
  etx_store_s8x4(two + 4, etx_repeat_s8(-offset));
  for (int32_t i = 0; i < count; ++i) {
    two[i] = b[i * step];
    two[4 + i] = b[i * step + next];
  }
  expand_inputs(two, 1, 4, offset, to);
}

static columns expand_columns(const etx_batch_matmul_params *p, const int8_t *b, int32_t next, int32_t *to) {
  const int32_t step = p->b_steps[1], offset = p->b_offset, ones = 0x00010001;
  columns two = {.words = to};
  int32_t left = p->depth;
  for (; left >= 4; left -= 4, b += 4 * step, to += 4) {
    expand_inputs(b, step, next, offset, to);
  }
  if (left > 0) {
    expand_last_inputs(b, step, next, offset, left, to);
    to += 4;
  }
  for (const int32_t *word = two.words; word != to; word += 4) {
    two.start = etx_dot(word[0], ones, etx_dot(word[2], ones, two.start));
    two.next_start = etx_dot(word[1], ones, etx_dot(word[3], ones, two.next_start));
  }
  two.start *= p->a_offset;
  two.next_start *= p->a_offset;
  return two;
}

static inline void add_inputs(int32_t row, int32_t below, const int32_t *words, sums *to) {
  const int32_t even = etx_extend_even(row), odd = etx_extend_odd(row);
  const int32_t even_below = etx_extend_even(below), odd_below = etx_extend_odd(below);
  to->sum = etx_dot(even, words[0], to->sum);
  to->next = etx_dot(even, words[1], to->next);
  to->sum_below = etx_dot(even_below, words[0], to->sum_below);
  to->next_below = etx_dot(even_below, words[1], to->next_below);
  to->sum = etx_dot(odd, words[2], to->sum);
  to->next = etx_dot(odd, words[3], to->next);
  to->sum_below = etx_dot(odd_below, words[2], to->sum_below);
  to->next_below = etx_dot(odd_below, words[3], to->next_below);
}

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

#define ADD_TWO_INPUTS(row, below)  \
  "smlad r6, " row ", r10, r6\n"    \
  "smlad r7, " row ", r11, r7\n"    \
  "smlad r8, " below ", r10, r8\n"  \
  "smlad r9, " below ", r11, r9\n"

#define ADD_FOUR_INPUTS             \
  "ldr r10, [r2]\n"                 \
  "ldr r11, [r2, #4]\n"             \
  "ldr r4, [r0], #4\n"              \
  "ldr r5, [r1], #4\n"              \
  "sxtb16 r12, r4\n"                \
  "sxtb16 lr, r5\n"                 \
  "sxtb16 r4, r4, ror #8\n"         \
  "sxtb16 r5, r5, ror #8\n"         \
  ADD_TWO_INPUTS("r12", "lr")       \
  "ldr r10, [r2, #8]\n"             \
  "ldr r11, [r2, #12]\n"            \
  "adds r2, r2, #16\n"              \
  ADD_TWO_INPUTS("r4", "r5")

/* Adds whole words of inputs, at least one; returns what lies behind their part of the columns. */
static inline const int32_t *add_words(const int8_t *x, const int8_t *x_below, const int8_t *x_end, const int32_t *by,
                                       sums *to) {
  register const int8_t *row __asm__("r0") = x;
  register const int8_t *below __asm__("r1") = x_below;
  register const int32_t *words __asm__("r2") = by;
  register const int8_t *end __asm__("r3") = x_end;
  register int32_t sum __asm__("r6") = to->sum;
  register int32_t next __asm__("r7") = to->next;
  register int32_t sum_below __asm__("r8") = to->sum_below;
  register int32_t next_below __asm__("r9") = to->next_below;
  __asm__ volatile(
      "subs r4, r3, r0\n"
      "tst r4, #4\n"
      "beq 1f\n"
      ADD_FOUR_INPUTS
      "cmp r0, r3\n"
      "beq 2f\n"
      ".balign 4\n"
      "1:\n"
      ADD_FOUR_INPUTS
      ADD_FOUR_INPUTS
      "cmp r0, r3\n"
      "bne 1b\n"
      "2:\n"
      : "+r"(row), "+r"(below), "+r"(words), "+r"(sum), "+r"(next), "+r"(sum_below), "+r"(next_below)
      : "r"(end)
      : "r4", "r5", "r10", "r11", "r12", "lr", "cc", "memory");
  *to = (sums){sum, next, sum_below, next_below};
  return words;
}

/* clang-format on */

#else

static inline const int32_t *add_words(const int8_t *row, const int8_t *below, const int8_t *end, const int32_t *words,
                                       sums *to) {
  for (; row != end; row += 4, below += 4, words += 4) {
    add_inputs(etx_load_s8x4(row), etx_load_s8x4(below), words, to);
  }
  return words;
}

#endif

static inline sums multiply(const int8_t *row, const int8_t *below, int32_t depth, const columns *by) {
  sums all = {by->start, by->next_start, by->start, by->next_start};
  const int32_t whole = depth & ~3, *words = by->words;
  if (whole != 0) {
    words = add_words(row, below, row + whole, words, &all);
  }
  if (whole != depth) {
    add_inputs(etx_load_bytes(row + whole, depth - whole), etx_load_bytes(below + whole, depth - whole), words, &all);
  }
  return all;
}

static inline int8_t result(int32_t sum, const etx_rescaling *by) { return (int8_t)etx_rescale_doubled(2 * sum, by); }

static void multiply_rows(const etx_batch_matmul_params *p, const int8_t *a, const columns *by, int32_t next, int8_t *y) {
  const int32_t step = p->a_steps[1], right = -p->shift;
  const etx_rescaling rescaling = {p->mantissa, (1 << right >> 1) + p->output_offset * (1 << right), right};
  for (int32_t left = p->rows; left > 0; left -= 2, a += 2 * step, y += 2 * p->columns) {
    const int32_t below = left > 1 ? 1 : 0; /* of an odd number of rows the last is its own neighbour */
    const sums all = multiply(a, a + below * step, p->depth, by);
    int8_t *const y_below = y + below * p->columns;
    y[next] = result(all.next, &rescaling);
    y[0] = result(all.sum, &rescaling);
    y_below[next] = result(all.next_below, &rescaling);
    y_below[0] = result(all.sum_below, &rescaling);
  }
}

void etx_batch_matmul_pairs_s8(const etx_batch_matmul_params *params, const int8_t *a, const int8_t *b, int8_t *y,
                               int32_t *scratch) {
  const etx_batch_matmul_params here = *params; /* next to the stack rather than in flash */
  const etx_batch_matmul_params *p = &here;
  const int32_t step = p->b_steps[2];
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    for (int32_t column = 0; column < p->columns; column += 2) {
      const int32_t next = column + 1 < p->columns ? 1 : 0; /* and so is the last of an odd number of columns */
      const columns by = expand_columns(p, b + column * step, next * step, scratch);
      multiply_rows(p, a, &by, next, y + column);
    }
    a += p->a_steps[0];
    b += p->b_steps[0];
    y += p->rows * p->columns;
  }
}
