#include "etx_gather.h"
#include "etx_kernels.h"
#include "etx_packed_matmul.h"

void etx_conv_2d_packed_s8(const etx_convolution_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                           int32_t *scratch) {
  const etx_convolution_params here = *p; /* next to the stack rather than in flash */
  const int32_t size = p->window_height * p->window_width * p->in_channels;
  const int32_t inputs = (size + 3) & ~3, outputs = p->out_channels, results = p->out_height * p->out_width;
  const etx_packed_layer layer = {packed, inputs, outputs,
                                  etx_limits_of(p->low, p->high), p->low >= p->output_offset};
  int8_t *const window = (int8_t *)(scratch + inputs);
  int32_t index = 0;
  for (; index + 1 < results; index += 2) {
    etx_gather_window(&here, x, index, window);
    etx_expand_row(window, size, 2, scratch);
    etx_gather_window(&here, x, index + 1, window);
    etx_expand_row(window, size, 2, scratch + 1);
    etx_multiply_two_rows(&layer, scratch, y);
    y += 2 * outputs;
  }
  if (index < results) {
    etx_gather_window(&here, x, index, window);
    etx_expand_row(window, size, 1, scratch);
    etx_multiply_row(&layer, scratch, 1, etx_rescale, y);
  }
}
