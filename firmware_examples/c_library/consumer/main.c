/* Runs the model on bytes from standard input, and writes its outputs to standard output. */
#include <model.h>
#include <stdio.h>

int main(void) {
  edgetx_reset();
  for (int32_t i = 0; i < EDGETX_INPUTS; ++i) {
    if (fread(edgetx_input(i), 1, edgetx_input_bytes(i), stdin) != edgetx_input_bytes(i)) {
      fprintf(stderr, "too few bytes for input %d\n", (int)i);
      return 1;
    }
  }
  edgetx_invoke();
  for (int32_t i = 0; i < EDGETX_OUTPUTS; ++i) {
    fwrite(edgetx_output(i), 1, edgetx_output_bytes(i), stdout);
  }
  return 0;
}
