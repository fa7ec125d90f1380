/* The inner loop of attention_pairs_s8.c for Cortex-M7, which issues a load or an extension beside a multiplication. */
#ifndef ETX_SCORE_INPUTS_H
#define ETX_SCORE_INPUTS_H

/* clang-format off */

#define ETX_SCORE_FOUR_INPUTS  \
  "ldr r12, [r0, r1]\n"        \
  "ldr r11, [r0], #4\n"        \
  "ldr r9, [r2, #4]\n"         \
  "ldr r8, [r2]\n"             \
  "sxtb16 r10, r11\n"          \
  "sxtb16 lr, r12\n"           \
  "smlad r4, r10, r8, r4\n"    \
  "smlad r5, r10, r9, r5\n"    \
  "sxtb16 r10, r11, ror #8\n"  \
  "smlad r6, lr, r8, r6\n"     \
  "ldr r8, [r2, #8]\n"         \
  "smlad r7, lr, r9, r7\n"     \
  "ldr r9, [r2, #12]\n"        \
  "sxtb16 lr, r12, ror #8\n"   \
  "smlad r4, r10, r8, r4\n"    \
  "adds r2, r2, #16\n"         \
  "smlad r5, r10, r9, r5\n"    \
  "smlad r6, lr, r8, r6\n"     \
  "smlad r7, lr, r9, r7\n"

#endif
