#include "etx_kernels.h"

/* Two columns without their zero point, an input of either in a word of 16-bit lanes. */
typedef struct {
  const int32_t *words, *end;
  int32_t start, next_start; /* what the zero point of the rows adds to their sums */
} columns;

typedef struct {
  int32_t sum, next;
} sums;

static columns expand_columns(const etx_batch_matmul_params *p, const int8_t *b, int32_t next, int32_t *to) {
  const int32_t step = p->b_steps[1], offset = p->b_offset;
  columns two = {.words = to, .end = to + p->depth};
  for (; to != two.end; ++to, b += step) {
    const int32_t x = b[0] + offset, x_next = b[next] + offset;
    *to = (int32_t)(((uint32_t)x & 0xFFFFu) | (uint32_t)x_next << 16);
    two.start += x;
    two.next_start += x_next;
  }
  two.start *= p->a_offset;
  two.next_start *= p->a_offset;
  return two;
}

#if defined(__ARM_ARCH_6M__)

/* clang-format off */

#define ADD_INPUT          \
  "ldrsb r6, [r0, r7]\n"   \
  "ldm r1!, {r4}\n"        \
  "sxth r5, r4\n"          \
  "asrs r4, r4, #16\n"     \
  "muls r5, r6, r5\n"      \
  "muls r4, r6, r4\n"      \
  "adds r2, r2, r5\n"      \
  "adds r3, r3, r4\n"      \
  "adds r7, r7, #1\n"

static sums multiply(const int8_t *row, const columns *by) {
  const int32_t depth = (int32_t)(by->end - by->words);
  register const int8_t *end __asm__("r0") = row + depth;
  register const int32_t *words __asm__("r1") = by->words;
  register int32_t sum __asm__("r2") = by->start;
  register int32_t next __asm__("r3") = by->next_start;
  register int32_t behind __asm__("r7") = -depth;
  __asm__ volatile(
      ".syntax unified\n"
      "lsrs r4, r7, #1\n"
      "bcc 1f\n"
      ADD_INPUT
      "beq 2f\n"
      "1:\n"
      ADD_INPUT
      ADD_INPUT
      "bne 1b\n"
      "2:\n"
      : "+r"(words), "+r"(sum), "+r"(next), "+r"(behind)
      : "r"(end)
      : "r4", "r5", "r6", "cc", "memory");
  return (sums){sum, next};
}

/* clang-format on */

#else

static sums multiply(const int8_t *row, const columns *by) {
  sums all = {by->start, by->next_start};
  for (const int32_t *word = by->words; word != by->end; ++word, ++row) {
    all.sum += *row * (int16_t)*word;
    all.next += *row * (*word >> 16);
  }
  return all;
}

#endif

static inline int8_t result(const etx_batch_matmul_params *p, int32_t sum) {
  return (int8_t)etx_requantize(sum, p->mantissa, p->shift, p->output_offset, p->low, p->high);
}

void etx_batch_matmul_pairs_s8(const etx_batch_matmul_params *params, const int8_t *a, const int8_t *b, int8_t *y,
                               int32_t *scratch) {
  const etx_batch_matmul_params here = *params; /* next to the stack rather than in flash */
  const etx_batch_matmul_params *p = &here;
  const int32_t step = p->b_steps[2];
  for (int32_t batch = 0; batch < p->batches; ++batch) {
    for (int32_t column = 0; column < p->columns; column += 2) {
      const int32_t next = column + 1 < p->columns ? 1 : 0; /* the last of an odd number is its own neighbour */
      const columns by = expand_columns(p, b + column * step, next * step, scratch);
      const int8_t *row = a;
      int8_t *to = y + column;
      for (int32_t left = p->rows; left > 0; --left, row += p->a_steps[1], to += p->columns) {
        const sums all = multiply(row, &by);
        to[next] = result(p, all.next);
        to[0] = result(p, all.sum);
      }
    }
    a += p->a_steps[0];
    b += p->b_steps[0];
    y += p->rows * p->columns;
  }
}
