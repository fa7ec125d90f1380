/* The inner loop of attention_pairs_s8.c: four inputs of two keys, at r0 and at r0 + r1, times queries at r2, of both
 * rows in turn. Sums are r4 and r5 of the first key, r6 and r7 of the second.
 *
 * Loads stand together: they overlap on Cortex-M4.
 */
#ifndef ETX_SCORE_INPUTS_H
#define ETX_SCORE_INPUTS_H

/* clang-format off */

/* Extends two keys and adds them times the queries of both rows. */
#define ETX_SCORE_TWO_INPUTS(order)  \
  "ldr r9, [r2, #4]\n"               \
  "ldr r8, [r2], #8\n"               \
  "sxtb16 r10, r11" order "\n"       \
  "smlad r4, r10, r8, r4\n"          \
  "smlad r5, r10, r9, r5\n"          \
  "sxtb16 r10, r12" order "\n"       \
  "smlad r6, r10, r8, r6\n"          \
  "smlad r7, r10, r9, r7\n"

#define ETX_SCORE_FOUR_INPUTS  \
  "ldr r12, [r0, r1]\n"        \
  "ldr r11, [r0], #4\n"        \
  ETX_SCORE_TWO_INPUTS("")     \
  ETX_SCORE_TWO_INPUTS(", ror #8")

#endif
