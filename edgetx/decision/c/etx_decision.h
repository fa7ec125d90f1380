/* From the outputs of a streaming model to events; edgetx/decision/decider.py is the reference. */
#ifndef ETX_DECISION_H
#define ETX_DECISION_H

#include <stdint.h>

typedef struct {
  const int16_t *exponentials; /* exp(-scale * distance) in Q15 */
  const uint8_t *is_background; /* by class */
  int32_t classes;
  int32_t smoothing;  /* hops averaged */
  int32_t least;      /* sum of posteriors that makes an event */
  int32_t refractory; /* hops after an event without another */
} etx_decision_params;

typedef struct {
  int32_t label; /* class */
  int32_t score; /* average posterior, 255 for certainty */
  uint32_t hop;  /* the hop that decided, counted from reset */
} edgetx_event;

typedef struct {
  uint8_t *ring;   /* [smoothing][classes] posteriors */
  int32_t *totals; /* [classes] their sums */
  uint32_t hop;
  int32_t place; /* row of the ring that is replaced next */
  int32_t wait;  /* refractory hops left */
} etx_decision_state;

void etx_decision_reset(const etx_decision_params *p, etx_decision_state *state);

/* 1 and the event if this hop's logits made one, else 0. */
int32_t etx_decide(const etx_decision_params *p, etx_decision_state *state, const int8_t *logits,
                   edgetx_event *event);

#endif
