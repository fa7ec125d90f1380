/* Runs the model on the golden cases of the image and compares the CRC of its outputs. */
#include <string.h>

#include "etx_console.h"
#include "etx_crc32.h"
#include "etx_golden.h"
#include "model.h"

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

static int run_case(uint32_t number) {
  const etx_golden_case *golden = &etx_golden_cases[number];
  set_inputs(golden->inputs);
  edgetx_invoke();
  const uint32_t crc = outputs_crc32();
  const int is_equal = crc == golden->outputs_crc32;
  etx_console_write("case ");
  etx_console_write_decimal(number);
  etx_console_write(" crc32 ");
  etx_console_write_hex(crc);
  etx_console_write(is_equal ? " ok\n" : " differs\n");
  return is_equal;
}

int main(void) {
  uint32_t equal = 0;
  edgetx_reset();
  for (uint32_t i = 0; i < etx_golden_case_count; ++i) {
    equal += (uint32_t)run_case(i);
  }
  const int has_passed = equal == etx_golden_case_count;
  etx_console_write(has_passed ? "PASS\n" : "FAIL\n");
  return has_passed ? 0 : 1;
}
