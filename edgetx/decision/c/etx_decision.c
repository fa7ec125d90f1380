#include "etx_decision.h"

#include <string.h>

void etx_decision_reset(const etx_decision_params *p, etx_decision_state *state) {
  memset(state->ring, 0, (size_t)(p->smoothing * p->classes));
  memset(state->totals, 0, (size_t)p->classes * sizeof state->totals[0]);
  state->hop = 0;
  state->place = 0;
  state->wait = 0;
}

static void add_posteriors(const etx_decision_params *p, etx_decision_state *state, const int8_t *logits) {
  int32_t largest = logits[0];
  int32_t total = 0;
  for (int32_t c = 1; c < p->classes; ++c) {
    largest = logits[c] > largest ? logits[c] : largest;
  }
  for (int32_t c = 0; c < p->classes; ++c) {
    total += p->exponentials[largest - logits[c]];
  }
  uint8_t *row = state->ring + state->place * p->classes;
  for (int32_t c = 0; c < p->classes; ++c) {
    const int32_t posterior = (255 * p->exponentials[largest - logits[c]] + total / 2) / total;
    state->totals[c] += posterior - row[c];
    row[c] = (uint8_t)posterior;
  }
  state->place = state->place + 1 < p->smoothing ? state->place + 1 : 0;
}

int32_t etx_decide(const etx_decision_params *p, etx_decision_state *state, const int8_t *logits,
                   edgetx_event *event) {
  add_posteriors(p, state, logits);
  int32_t label = 0;
  for (int32_t c = 1; c < p->classes; ++c) {
    label = state->totals[c] > state->totals[label] ? c : label;
  }
  const uint32_t hop = state->hop++;
  if (state->wait > 0) {
    --state->wait;
    return 0;
  }
  if (p->is_background[label] || state->totals[label] < p->least) {
    return 0;
  }
  state->wait = p->refractory;
  event->label = label;
  event->score = state->totals[label] / p->smoothing;
  event->hop = hop;
  return 1;
}
