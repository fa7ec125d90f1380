#include "etx_gather.h"
#include "etx_kernels.h"
#include "etx_packed_matmul.h"

void etx_conv_2d_packed_s8(const etx_convolution_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                           int32_t *scratch) {
  const etx_convolution_params here = *p; /* next to the stack rather than in flash */
  const int32_t size = p->window_height * p->window_width * p->in_channels, inputs = (size + 3) & ~3;
  const etx_packed_layer layer = {packed, inputs, p->out_channels, p->low, p->high};
  int8_t *const window = (int8_t *)(scratch + inputs);
  for (int32_t index = 0; index < here.out_height * here.out_width; ++index) {
    etx_gather_window(&here, x, index, window);
    etx_expand_row(window, size, scratch);
    etx_multiply_row(&layer, scratch, y);
    y += p->out_channels;
  }
}
