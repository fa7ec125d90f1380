/* Runs the model, and its front end if it has one, on the golden cases of the image and compares CRCs. */
#include <string.h>

#include "etx_console.h"
#include "etx_crc32.h"
#include "etx_golden.h"
#include "model.h"
#if __has_include("frontend.h")
#include "frontend.h"
#endif
#if __has_include("stream.h")
#include "stream.h"
#endif

static void set_inputs(const unsigned char *bytes) {
  for (int32_t i = 0; i < EDGETX_INPUTS; ++i) {
    const size_t size = edgetx_input_bytes(i);
    memcpy(edgetx_input(i), bytes, size);
    bytes += size;
  }
}

static uint32_t outputs_crc32(void) {
  uint32_t crc = 0;
  for (int32_t i = 0; i < EDGETX_OUTPUTS; ++i) {
    crc = etx_crc32(crc, edgetx_output(i), edgetx_output_bytes(i));
  }
  return crc;
}

static int report(uint32_t crc, uint32_t expected) {
  const int is_equal = crc == expected;
  etx_console_write(" crc32 ");
  etx_console_write_hex(crc);
  etx_console_write(is_equal ? " ok\n" : " differs\n");
  return is_equal;
}

static int run_case(uint32_t number) {
  const etx_golden_case *golden = &etx_golden_cases[number];
  set_inputs(golden->inputs);
  edgetx_invoke();
  etx_console_write("case ");
  etx_console_write_decimal(number);
  return report(outputs_crc32(), golden->outputs_crc32);
}

static int run_frontend(void) {
#ifdef EDGETX_FRONTEND_H
  static edgetx_frontend state;
  const int16_t *hop = etx_golden_clip.samples + EDGETX_FRONTEND_HISTORY;
  uint32_t crc = 0;
  edgetx_frontend_start(&state, etx_golden_clip.samples);
  for (uint32_t i = 0; i < etx_golden_clip.rows; ++i, hop += EDGETX_FRONTEND_HOP) {
    int8_t row[EDGETX_FRONTEND_FEATURES];
    edgetx_frontend_push(&state, hop, row);
    crc = etx_crc32(crc, row, sizeof row);
  }
  etx_console_write("front end");
  return report(crc, etx_golden_clip.rows_crc32);
#else
  return 1;
#endif
}

#ifdef EDGETX_HOP_FRAMES
/* The hop loop, for the simulator to feed and to call. */
int16_t etx_hop_samples[EDGETX_HOP_SAMPLES];

int32_t etx_hop(void);

__attribute__((noinline)) int32_t etx_hop(void) {
  edgetx_event event;
  return edgetx_stream_push(etx_hop_samples, &event);
}

static void run_silent_hop(void) {
  edgetx_stream_reset();
  (void)etx_hop();
}
#else
static void run_silent_hop(void) {}
#endif

int main(void) {
  uint32_t equal = 0;
  edgetx_reset();
  for (uint32_t i = 0; i < etx_golden_case_count; ++i) {
    equal += (uint32_t)run_case(i);
  }
  run_silent_hop();
  const int has_passed = run_frontend() && equal == etx_golden_case_count;
  etx_console_write(has_passed ? "PASS\n" : "FAIL\n");
  return has_passed ? 0 : 1;
}
