/* Classifies the sounds around, and reports when one begins and when it ends: the same listening as the keyword
 * spotter, with levels instead of events. */
#include "etx_console.h"
#include "frontend.h"
#include "microphone.h"
#include "ring.h"
#include "stream.h"

/* A sound that was not detected for a second is over. */
enum { RELEASE_HOPS = EDGETX_FRONTEND_SAMPLE_RATE_HZ / EDGETX_HOP_SAMPLES, SILENCE = -1 };

static ring audio;

static void on_samples(const int16_t *samples, size_t count) { ring_write(&audio, samples, count); }

static void report(const char *what, int32_t class, uint32_t hop) {
  etx_console_write(what);
  etx_console_write(edgetx_classes[class]);
  etx_console_write(" ");
  etx_console_write_decimal(hop);
  etx_console_write("\n");
}

int main(void) {
  int16_t samples[EDGETX_HOP_SAMPLES];
  uint32_t hop = 0, heard_at = 0;
  int32_t current = SILENCE;
  edgetx_stream_reset();
  if (!microphone_start(EDGETX_FRONTEND_SAMPLE_RATE_HZ, on_samples)) {
    return 1;
  }
  while (microphone_wait()) {
    while (ring_take(&audio, samples, EDGETX_HOP_SAMPLES)) {
      edgetx_event event;
      const int32_t found = edgetx_stream_push(samples, &event) ? event.label : SILENCE;
      ++hop;
      if (current != SILENCE && (hop - heard_at > RELEASE_HOPS || (found >= 0 && found != current))) {
        report("end ", current, hop);
        current = SILENCE;
      }
      if (found != SILENCE) {
        if (current == SILENCE) {
          report("begin ", found, hop);
        }
        current = found;
        heard_at = hop;
      }
    }
  }
  etx_console_write("heard ");
  etx_console_write_decimal(hop);
  etx_console_write(" hops\n");
  return 0;
}
