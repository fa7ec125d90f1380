#include "spotter.h"

#ifdef SPOTTER_STREAMS

void spotter_reset(void) { edgetx_stream_reset(); }

int32_t spotter_push(const int16_t samples[SPOTTER_HOP]) {
  edgetx_event event;
  return edgetx_stream_push(samples, &event) ? event.label : SPOTTER_NOTHING;
}

#else

#include <string.h>

#include "model.h"

enum { ROW = EDGETX_FRONTEND_FEATURES, WINDOW_BYTES = SPOTTER_FRAMES * ROW };
_Static_assert((int)SPOTTER_NOTHING == (int)ETX_DETECTOR_NOTHING, "one word for nothing");
_Static_assert(WINDOW_BYTES == EDGETX_INPUT0_BYTES, "the model takes a window of rows");

static edgetx_frontend frontend;
static etx_detector detector;
static int8_t rows[SPOTTER_FRAMES][ROW]; /* a ring: the input shares memory with the layers, so the rows stay here */
static uint32_t row_count;

void spotter_reset(void) {
  edgetx_frontend_reset(&frontend);
  memset(&detector, 0, sizeof detector);
  row_count = 0;
}

static int32_t run_model(void) {
  const uint32_t oldest = row_count % SPOTTER_FRAMES;
  int8_t *input = edgetx_input(0);
  memcpy(input, rows[oldest], (SPOTTER_FRAMES - oldest) * ROW);
  memcpy(input + (SPOTTER_FRAMES - oldest) * ROW, rows[0], oldest * ROW);
  edgetx_reset();
  edgetx_invoke();
  return etx_detector_push(&detector, &spotter_params, edgetx_output(0));
}

int32_t spotter_push(const int16_t samples[SPOTTER_HOP]) {
  edgetx_frontend_push(&frontend, samples, rows[row_count % SPOTTER_FRAMES]);
  ++row_count;
  if (row_count < SPOTTER_FRAMES || row_count % SPOTTER_STEP != 0) {
    return SPOTTER_NOTHING;
  }
  return run_model();
}

#endif
