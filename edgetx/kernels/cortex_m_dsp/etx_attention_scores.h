/* Scores of attention: keys times two rows of queries, two keys at a time. */
#ifndef ETX_ATTENTION_SCORES_H
#define ETX_ATTENTION_SCORES_H

#include <stddef.h>

#include "etx_dsp.h"
#include "etx_score_inputs.h"

/* Inputs of a query, two to a word, at every second word. */
static void etx_expand_query(const int8_t *row, int32_t size, int32_t *to) {
  for (int32_t left = size; left > 0; left -= 4, row += 4, to += 4) {
    const int32_t word = etx_load_bytes(row, left);
    to[0] = etx_extend_even(word);
    to[2] = etx_extend_odd(word);
  }
}

static int32_t etx_larger(int32_t a, int32_t b) { return a > b ? a : b; }

/* Scores of two keys for both rows. */
typedef struct {
  int32_t first, first_below, second, second_below;
} etx_scores_of_two;

static inline void etx_add_keys(const int32_t *queries, int32_t key, int32_t next_key, etx_scores_of_two *to) {
  const int32_t even = etx_extend_even(key), next_even = etx_extend_even(next_key);
  to->first = etx_dot(even, queries[0], to->first);
  to->first_below = etx_dot(even, queries[1], to->first_below);
  to->second = etx_dot(next_even, queries[0], to->second);
  to->second_below = etx_dot(next_even, queries[1], to->second_below);
  const int32_t odd = etx_extend_odd(key), next_odd = etx_extend_odd(next_key);
  to->first = etx_dot(odd, queries[2], to->first);
  to->first_below = etx_dot(odd, queries[3], to->first_below);
  to->second = etx_dot(next_odd, queries[2], to->second);
  to->second_below = etx_dot(next_odd, queries[3], to->second_below);
}

/* Where scores of both rows go, in turn, and the largest of each. */
typedef struct {
  const int32_t *queries;
  int32_t bytes; /* of a key */
  int32_t *scores;
  int32_t *end;
  int32_t to_next; /* from behind one key to the key after the next */
  int32_t max, max_below;
} etx_scoring;

static inline void etx_keep_scores(const etx_scores_of_two *sums, etx_scoring *to) {
  to->scores[0] = sums->first;
  to->scores[1] = sums->first_below;
  to->scores[2] = sums->second;
  to->scores[3] = sums->second_below;
  to->max = etx_larger(etx_larger(to->max, sums->first), sums->second);
  to->max_below = etx_larger(etx_larger(to->max_below, sums->first_below), sums->second_below);
}

#if defined(__ARM_FEATURE_DSP)

/* clang-format off */

#define ETX_RAISE(max, score) "cmp " max ", " score "\n" "it lt\n" "movlt " max ", " score "\n"

/* Scores of pairs of keys, of whole words, for both rows; keys are `step` bytes apart. */
static void etx_score_pairs(const int8_t *key, int32_t step, etx_scoring *to) {
  register const int8_t *k __asm__("r0") = key;
  register int32_t next __asm__("r1") = step;
  register const etx_scoring *frame __asm__("r2") = to;
  register int32_t max __asm__("r4"), max_below __asm__("r5");
  __asm__ volatile(
      "ldm r2, {r4, r5, r6, r7, r8, r9, r10}\n"
      "push {r4, r5, r6, r7, r8, r9, r10}\n"
      ".balign 4\n"
      "2:\n" /* two keys */
      "ldr r2, [sp, %[queries]]\n"
      "ldr r3, [sp, %[bytes]]\n"
      "movs r4, #0\n"
      "movs r5, #0\n"
      "movs r6, #0\n"
      "movs r7, #0\n"
      "tst r3, #4\n"
      "add r3, r3, r0\n"
      "beq 1f\n"
      ETX_SCORE_FOUR_INPUTS
      "cmp r0, r3\n"
      "beq 3f\n"
      ".balign 4\n"
      "1:\n"
      ETX_SCORE_FOUR_INPUTS
      ETX_SCORE_FOUR_INPUTS
      "cmp r0, r3\n"
      "bne 1b\n"
      "3:\n"
      "ldr r8, [sp, %[scores]]\n"
      "ldr r9, [sp, %[max]]\n"
      "ldr r10, [sp, %[max_below]]\n"
      "ldr r11, [sp, %[to_next]]\n"
      "stm r8!, {r4, r5, r6, r7}\n"
      "str r8, [sp, %[scores]]\n"
      ETX_RAISE("r9", "r4") ETX_RAISE("r10", "r5") ETX_RAISE("r9", "r6") ETX_RAISE("r10", "r7")
      "str r9, [sp, %[max]]\n"
      "str r10, [sp, %[max_below]]\n"
      "ldr r12, [sp, %[end]]\n"
      "add r0, r0, r11\n"
      "cmp r8, r12\n"
      "bne 2b\n"
      "mov r4, r9\n"
      "mov r5, r10\n"
      "add sp, sp, %[size]\n"
      : "+r"(k), "+r"(next), "+r"(frame), "=r"(max), "=r"(max_below)
      : [queries] "I"(offsetof(etx_scoring, queries)), [bytes] "I"(offsetof(etx_scoring, bytes)),
        [scores] "I"(offsetof(etx_scoring, scores)), [end] "I"(offsetof(etx_scoring, end)),
        [to_next] "I"(offsetof(etx_scoring, to_next)), [max] "I"(offsetof(etx_scoring, max)),
        [max_below] "I"(offsetof(etx_scoring, max_below)), [size] "I"(sizeof(etx_scoring))
      : "r3", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
  to->max = max;
  to->max_below = max_below;
}

/* clang-format on */

#else

static void etx_score_pairs(const int8_t *key, int32_t step, etx_scoring *to) {
  for (; to->scores != to->end; to->scores += 4, key += to->bytes + to->to_next) {
    etx_scores_of_two sums = {0, 0, 0, 0};
    for (int32_t i = 0; i < to->bytes; i += 4) {
      etx_add_keys(to->queries + i, etx_load_s8x4(key + i), etx_load_s8x4(key + step + i), &sums);
    }
    etx_keep_scores(&sums, to);
  }
}

#endif

/* The same for keys of any size, and any number of pairs. */
static inline void etx_score_any_pairs(const int8_t *key, int32_t step, etx_scoring *to) {
  const int32_t size = to->bytes;
  if ((size & 3) == 0 && to->scores != to->end) {
    etx_score_pairs(key, step, to);
    return;
  }
  for (; to->scores != to->end; to->scores += 4, key += 2 * step) {
    etx_scores_of_two sums = {0, 0, 0, 0};
    for (int32_t i = 0; i < size; i += 4) {
      etx_add_keys(to->queries + i, etx_load_bytes(key + i, size - i), etx_load_bytes(key + step + i, size - i), &sums);
    }
    etx_keep_scores(&sums, to);
  }
}

/* Scores of all keys, at least one, `step` bytes apart, for queries of `size` inputs; both of both rows in turn. An odd
 * last key is scored twice. Leaves the largest of either row in `max`. */
static inline void etx_score_keys(const int32_t *queries, const int8_t *k, int32_t size, int32_t step, int32_t keys,
                                  int32_t *scores, int32_t *max) {
  const int32_t pairs = keys / 2;
  etx_scoring to = {.queries = queries,
                    .bytes = size,
                    .scores = scores,
                    .end = scores + 4 * pairs,
                    .to_next = 2 * step - size,
                    .max = INT32_MIN,
                    .max_below = INT32_MIN};
  etx_score_any_pairs(k, step, &to);
  if ((keys & 1) != 0) {
    to.scores = scores + 4 * pairs;
    to.end = to.scores + 4;
    etx_score_any_pairs(k + 2 * pairs * step, 0, &to);
  }
  max[0] = to.max;
  max[1] = to.max_below;
}

#endif
