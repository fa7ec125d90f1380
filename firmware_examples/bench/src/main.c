/* Profiles every layer of the model with the core's cycle counter, and checks its outputs against golden CRCs. */
#include <string.h>

#include "etx_console.h"
#include "etx_crc32.h"
#include "etx_cycles.h"
#include "etx_golden.h"
#include "etx_layers.h"
#include "model.h"

static void set_inputs(const unsigned char *bytes) {
  for (int32_t i = 0; i < EDGETX_INPUTS; ++i) {
    memcpy(edgetx_input(i), bytes, edgetx_input_bytes(i));
    bytes += edgetx_input_bytes(i);
  }
}

static uint32_t outputs_crc32(void) {
  uint32_t crc = 0;
  for (int32_t i = 0; i < EDGETX_OUTPUTS; ++i) {
    crc = etx_crc32(crc, edgetx_output(i), edgetx_output_bytes(i));
  }
  return crc;
}

static uint32_t profile(const etx_golden_case *golden, int is_printed) {
  uint32_t total = 0;
  set_inputs(golden->inputs);
  for (int32_t i = 0; i < EDGETX_LAYERS; ++i) {
    const uint32_t before = etx_cycles_now();
    edgetx_layers[i]();
    const uint32_t cycles = etx_cycles_now() - before;
    total += cycles;
    if (is_printed) {
      etx_console_write_decimal(cycles);
      etx_console_write(" ");
      etx_console_write(etx_layer_names[i]);
      etx_console_write("\n");
    }
  }
  edgetx_keep();
  return total;
}

int main(void) {
  int has_passed = etx_cycles_start() != ETX_CYCLES_NONE;
  edgetx_reset();
  for (uint32_t i = 0; i < etx_golden_case_count; ++i) {
    const uint32_t total = profile(&etx_golden_cases[i], i == 0);
    const int is_equal = outputs_crc32() == etx_golden_cases[i].outputs_crc32;
    has_passed &= is_equal;
    etx_console_write_decimal(total);
    etx_console_write(is_equal ? " cycles, outputs ok\n" : " cycles, outputs differ\n");
  }
  etx_console_write(has_passed ? "PASS\n" : "FAIL\n");
  return has_passed ? 0 : 1;
}
