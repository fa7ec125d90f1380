/* The inner loop of etx_packed_matmul.h for Cortex-M7, which issues a load or an extension beside a
 * multiplication: the next pair of inputs is loaded while one is multiplied.
 */
#ifndef ETX_ADD_PAIRS_H
#define ETX_ADD_PAIRS_H

/* clang-format off */

#define ETX_LOAD_PAIR(index)         \
  "ldr r4, [r1, #8*" #index "]\n"    \
  "ldr r2, [r0, #8*" #index "]\n"    \
  "ldr r5, [r1, #8*" #index "+4]\n"  \
  "ldr r3, [r0, #8*" #index "+4]\n"

/* The part before any of its operands may be overwritten. */
#define ETX_BEGIN_PAIR        \
  "smlad r7, r2, r4, r7\n"    \
  "smlad r11, r3, r4, r11\n"  \
  ETX_LOW_BYTES " r4, r4\n"   \
  "smlad r9, r2, r5, r9\n"    \
  "smlad lr, r3, r5, lr\n"    \
  ETX_LOW_BYTES " r5, r5\n"   \
  "smlad r6, r2, r4, r6\n"    \
  "smlad r10, r3, r4, r10\n"

#define ETX_ADD_PAIR_AND_LOAD(next)  \
  ETX_BEGIN_PAIR                     \
  "ldr r4, [r1, #8*" #next "]\n"     \
  "smlad r8, r2, r5, r8\n"           \
  "ldr r2, [r0, #8*" #next "]\n"     \
  "smlad r12, r3, r5, r12\n"         \
  "ldr r5, [r1, #8*" #next "+4]\n"   \
  "ldr r3, [r0, #8*" #next "+4]\n"

#define ETX_ADD_LAST_PAIR   \
  ETX_BEGIN_PAIR            \
  "smlad r8, r2, r5, r8\n"  \
  "smlad r12, r3, r5, r12\n"

#define ETX_ADD_TWO_PAIRS ETX_LOAD_PAIR(0) ETX_ADD_PAIR_AND_LOAD(1) ETX_ADD_LAST_PAIR

#define ETX_ADD_EIGHT_PAIRS                                                   \
  ETX_LOAD_PAIR(0)                                                            \
  ETX_ADD_PAIR_AND_LOAD(1) ETX_ADD_PAIR_AND_LOAD(2) ETX_ADD_PAIR_AND_LOAD(3)  \
  ETX_ADD_PAIR_AND_LOAD(4) ETX_ADD_PAIR_AND_LOAD(5) ETX_ADD_PAIR_AND_LOAD(6)  \
  ETX_ADD_PAIR_AND_LOAD(7) ETX_ADD_LAST_PAIR                                  \
  "adds r1, r1, #64\n"                                                        \
  "adds r0, r0, #64\n"

/* A single row: the pair x times weights ab and cd, while the next ones are loaded. */
#define ETX_BEGIN_PAIR_OF_ROW(x, ab, cd)  \
  "smlad r7, " x ", " ab ", r7\n"         \
  ETX_LOW_BYTES " " ab ", " ab "\n"       \
  "smlad r9, " x ", " cd ", r9\n"         \
  ETX_LOW_BYTES " " cd ", " cd "\n"

#define ETX_END_PAIR_OF_ROW(x, ab, cd)  \
  "smlad r6, " x ", " ab ", r6\n"       \
  "smlad r8, " x ", " cd ", r8\n"

#define ETX_ADD_TWO_PAIRS_OF_ROW             \
  "ldr r10, [r1]\n"                          \
  "ldr r2, [r0]\n"                           \
  "ldr r11, [r1, #4]\n"                      \
  "ldr r3, [r0, #4]\n"                       \
  "ldr r12, [r1, #8]\n"                      \
  ETX_BEGIN_PAIR_OF_ROW("r2", "r10", "r11")  \
  "ldr lr, [r1, #12]\n"                      \
  "smlad r6, r2, r10, r6\n"                  \
  "adds r1, r1, #16\n"                       \
  "smlad r8, r2, r11, r8\n"                  \
  "adds r0, r0, #8\n"                        \
  ETX_BEGIN_PAIR_OF_ROW("r3", "r12", "lr")   \
  ETX_END_PAIR_OF_ROW("r3", "r12", "lr")

#define ETX_ADD_FOUR_PAIRS_OF_ROW            \
  "ldr r10, [r1]\n"                          \
  "ldr r2, [r0]\n"                           \
  "ldr r11, [r1, #4]\n"                      \
  "ldr r12, [r1, #8]\n"                      \
  ETX_BEGIN_PAIR_OF_ROW("r2", "r10", "r11")  \
  "ldr lr, [r1, #12]\n"                      \
  "smlad r6, r2, r10, r6\n"                  \
  "ldr r3, [r0, #4]\n"                       \
  "smlad r8, r2, r11, r8\n"                  \
  "ldr r10, [r1, #16]\n"                     \
  ETX_BEGIN_PAIR_OF_ROW("r3", "r12", "lr")   \
  "ldr r11, [r1, #20]\n"                     \
  "smlad r6, r3, r12, r6\n"                  \
  "ldr r2, [r0, #8]\n"                       \
  "smlad r8, r3, lr, r8\n"                   \
  "ldr r12, [r1, #24]\n"                     \
  ETX_BEGIN_PAIR_OF_ROW("r2", "r10", "r11")  \
  "ldr lr, [r1, #28]\n"                      \
  "smlad r6, r2, r10, r6\n"                  \
  "ldr r3, [r0, #12]\n"                      \
  "smlad r8, r2, r11, r8\n"                  \
  "adds r1, r1, #32\n"                       \
  "adds r0, r0, #16\n"                       \
  ETX_BEGIN_PAIR_OF_ROW("r3", "r12", "lr")   \
  ETX_END_PAIR_OF_ROW("r3", "r12", "lr")

#endif
