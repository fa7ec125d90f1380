/* Classifies the sounds around, and reports when one begins and when it ends: the same listening as the keyword
 * spotter, with levels instead of events. */
#include "etx_console.h"
#include "microphone.h"
#include "ring.h"
#include "spotter.h"

/* A sound that was not detected for a second is over. */
enum { RELEASE_HOPS = EDGETX_FRONTEND_SAMPLE_RATE_HZ / SPOTTER_HOP };

static ring audio;

static void on_samples(const int16_t *samples, size_t count) { ring_write(&audio, samples, count); }

static void report(const char *what, int32_t class, uint32_t hop) {
  etx_console_write(what);
  etx_console_write(spotter_classes[class]);
  etx_console_write(" ");
  etx_console_write_decimal(hop);
  etx_console_write("\n");
}

int main(void) {
  int16_t samples[SPOTTER_HOP];
  uint32_t hop = 0, heard_at = 0;
  int32_t current = SPOTTER_NOTHING;
  spotter_reset();
  if (!microphone_start(EDGETX_FRONTEND_SAMPLE_RATE_HZ, on_samples)) {
    return 1;
  }
  while (microphone_wait()) {
    while (ring_take(&audio, samples, SPOTTER_HOP)) {
      const int32_t found = spotter_push(samples);
      ++hop;
      if (current != SPOTTER_NOTHING && (hop - heard_at > RELEASE_HOPS || (found >= 0 && found != current))) {
        report("end ", current, hop);
        current = SPOTTER_NOTHING;
      }
      if (found != SPOTTER_NOTHING) {
        if (current == SPOTTER_NOTHING) {
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
