/* The inner loop of etx_packed_matmul.h: pairs of inputs at r0, of both rows in turn, times weights at r1.
 *
 * Sums are r6 to r9 of the first row, r10 to lr of the second. Loads stand together: they overlap on
 * Cortex-M4 where both addresses lie in the same memory.
 */
#ifndef ETX_ADD_PAIRS_H
#define ETX_ADD_PAIRS_H

/* clang-format off */

#define ETX_MULTIPLY_PAIR     \
  "smlad r7, r2, r4, r7\n"    \
  "smlad r11, r3, r4, r11\n"  \
  "smlad r9, r2, r5, r9\n"    \
  "smlad lr, r3, r5, lr\n"    \
  ETX_LOW_BYTES " r4, r4\n"   \
  ETX_LOW_BYTES " r5, r5\n"   \
  "smlad r6, r2, r4, r6\n"    \
  "smlad r10, r3, r4, r10\n"  \
  "smlad r8, r2, r5, r8\n"    \
  "smlad r12, r3, r5, r12\n"

#define ETX_ADD_PAIR(index)          \
  "ldr r4, [r1, #8*" #index "]\n"    \
  "ldr r5, [r1, #8*" #index "+4]\n"  \
  "ldr r2, [r0, #8*" #index "]\n"    \
  "ldr r3, [r0, #8*" #index "+4]\n"  \
  ETX_MULTIPLY_PAIR

#define ETX_ADD_TWO_PAIRS ETX_ADD_PAIR(0) ETX_ADD_PAIR(1)

/* Goes on to the next eight pairs with the first one, which it therefore takes last. */
#define ETX_ADD_EIGHT_PAIRS                        \
  ETX_ADD_PAIR(1) ETX_ADD_PAIR(2) ETX_ADD_PAIR(3)  \
  ETX_ADD_PAIR(4) ETX_ADD_PAIR(5) ETX_ADD_PAIR(6)  \
  ETX_ADD_PAIR(7)                                  \
  "ldr r5, [r1, #4]\n"                             \
  "ldr r3, [r0, #4]\n"                             \
  "ldr r4, [r1], #64\n"                            \
  "ldr r2, [r0], #64\n"                            \
  ETX_MULTIPLY_PAIR

/* A single row: pairs x and next_x times weights r10 to lr. */
#define ETX_MULTIPLY_TWO_PAIRS_OF_ROW(x, next_x)  \
  "smlad r7, " x ", r10, r7\n"                    \
  "smlad r9, " x ", r11, r9\n"                    \
  ETX_LOW_BYTES " r10, r10\n"                     \
  ETX_LOW_BYTES " r11, r11\n"                     \
  "smlad r6, " x ", r10, r6\n"                    \
  "smlad r8, " x ", r11, r8\n"                    \
  "smlad r7, " next_x ", r12, r7\n"               \
  "smlad r9, " next_x ", lr, r9\n"                \
  ETX_LOW_BYTES " r12, r12\n"                     \
  ETX_LOW_BYTES " lr, lr\n"                       \
  "smlad r6, " next_x ", r12, r6\n"               \
  "smlad r8, " next_x ", lr, r8\n"

#define ETX_ADD_TWO_PAIRS_OF_ROW    \
  "ldrd r2, r3, [r0], #8\n"         \
  "ldm r1!, {r10, r11, r12, lr}\n"  \
  ETX_MULTIPLY_TWO_PAIRS_OF_ROW("r2", "r3")

#define ETX_ADD_FOUR_PAIRS_OF_ROW ETX_ADD_TWO_PAIRS_OF_ROW ETX_ADD_TWO_PAIRS_OF_ROW

#endif
