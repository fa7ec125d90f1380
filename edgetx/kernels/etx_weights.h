/* Packed weights, part by part, where a layer copies them next to the core. */
#ifndef ETX_WEIGHTS_H
#define ETX_WEIGHTS_H

#include <stdint.h>

typedef struct {
  const int32_t *packed; /* those of this part */
  int32_t outputs;       /* as many as there are in this part */
  const int32_t *behind;
  int32_t left, at_once, block_words;
  int32_t *copy;
} etx_weights;

/* Goes on to the next part; 0 behind the last. */
static inline int etx_next_weights(etx_weights *w) {
  if (w->left <= 0) {
    return 0;
  }
  w->outputs = w->at_once == 0 || w->at_once > w->left ? w->left : w->at_once;
  const uint32_t words = (uint32_t)((w->outputs + 3) / 4 * w->block_words);
  w->packed = w->behind;
  if (w->at_once != 0) {
    __builtin_memcpy(w->copy, w->behind, 4 * words);
    w->packed = w->copy;
  }
  w->behind += words;
  w->left -= w->outputs;
  return 1;
}

/* Before the first part of weights whose blocks of four outputs take so many words. */
static inline etx_weights etx_weights_of(const int32_t *packed, int32_t outputs, int32_t block_words,
                                         int32_t *copy) {
  const etx_weights weights = {
      .behind = packed + 1, .left = outputs, .at_once = packed[0], .block_words = block_words, .copy = copy};
  return weights;
}

#endif
