/* Listens, and prints an event for every keyword: the hop that completed it, and the word. */
#include "etx_console.h"
#include "frontend.h"
#include "microphone.h"
#include "ring.h"
#include "stream.h"

static ring audio;

static void on_samples(const int16_t *samples, size_t count) { ring_write(&audio, samples, count); }

static void on_event(uint32_t hop, int32_t class) {
  etx_console_write("event ");
  etx_console_write_decimal(hop);
  etx_console_write(" ");
  etx_console_write(edgetx_classes[class]);
  etx_console_write("\n");
}

int main(void) {
  int16_t samples[EDGETX_HOP_SAMPLES];
  uint32_t hop = 0;
  edgetx_stream_reset();
  if (!microphone_start(EDGETX_FRONTEND_SAMPLE_RATE_HZ, on_samples)) {
    etx_console_write("no microphone\n");
    return 1;
  }
  while (microphone_wait()) {
    while (ring_take(&audio, samples, EDGETX_HOP_SAMPLES)) {
      ++hop;
      edgetx_event event;
      if (edgetx_stream_push(samples, &event)) {
        on_event(hop, event.label);
      }
    }
  }
  etx_console_write("heard ");
  etx_console_write_decimal(hop);
  etx_console_write(" hops, lost ");
  etx_console_write_decimal(audio.lost);
  etx_console_write(" samples\n");
  return 0;
}
