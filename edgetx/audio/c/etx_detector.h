/* From a model's scores, window after window, to detections; edgetx/audio/detector.py describes it. */
#ifndef ETX_DETECTOR_H
#define ETX_DETECTOR_H

#include <stdint.h>

enum { ETX_DETECTOR_MAX_LENGTH = 16, ETX_DETECTOR_MAX_CLASSES = 64, ETX_DETECTOR_NOTHING = -1 };

typedef struct {
  int32_t classes;
  int32_t length;
  int32_t margin;
  int32_t pause;
  uint64_t ignored; /* bit c is set if class c is never detected */
} etx_detector_params;

typedef struct {
  int8_t scores[ETX_DETECTOR_MAX_LENGTH][ETX_DETECTOR_MAX_CLASSES];
  int32_t sums[ETX_DETECTOR_MAX_CLASSES];
  int32_t place;
  int32_t filled;
  int32_t waiting;
} etx_detector;

/* The class that is detected with the scores of one more window, or ETX_DETECTOR_NOTHING; begins with all zeros. */
static inline int32_t etx_detector_push(etx_detector *state, const etx_detector_params *p, const int8_t *scores) {
  int32_t best = 0;
  for (int32_t c = 0; c < p->classes; ++c) {
    state->sums[c] += scores[c] - state->scores[state->place][c];
    state->scores[state->place][c] = scores[c];
    best = state->sums[c] > state->sums[best] ? c : best;
  }
  state->place = state->place + 1 < p->length ? state->place + 1 : 0;
  state->filled += state->filled < p->length;
  int is_ahead = 1;
  for (int32_t c = 0; c < p->classes; ++c) {
    is_ahead &= c == best || state->sums[best] - state->sums[c] >= p->margin;
  }
  if (state->waiting > 0) {
    --state->waiting;
    return ETX_DETECTOR_NOTHING;
  }
  if (state->filled < p->length || ((p->ignored >> best) & 1u) != 0 || !is_ahead) {
    return ETX_DETECTOR_NOTHING;
  }
  state->waiting = p->pause;
  return best;
}

#endif
