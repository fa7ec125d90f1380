#include "etx_gather.h"
#include "etx_wide_matmul.h"

void etx_conv_2d_packed_s16(const etx_convolution_params *p, const int16_t *x, const int32_t *packed, const int64_t *bias,
                            const int32_t *mantissas, const int32_t *shifts, int16_t *y, int32_t *scratch) {
  int16_t *const windows = (int16_t *)scratch;
  etx_convolution_params bytes = *p; /* of which an element has two */
  const int32_t row_inputs = (p->window_width * p->in_channels + 3) & ~3, inputs = p->window_height * row_inputs;
  const int32_t outputs = p->out_channels;
  const etx_wide_layer layer = {packed, bias, mantissas, shifts, inputs, outputs, p->low, p->high};
  bytes.in_channels *= 2;
  etx_place place = etx_first_place(p);
  for (int32_t left = p->out_height * p->out_width; left > 0; left -= 2, y += 2 * outputs) {
    const int32_t next = left > 1 ? 1 : 0; /* of an odd number of windows the last is its own neighbour */
    for (int32_t i = 0; i <= next; ++i) {
      etx_gather_window(&bytes, (const int8_t *)x, place, 2 * row_inputs, (int8_t *)(windows + i * inputs));
      etx_next_place(p, &place);
    }
    etx_multiply_wide_rows(&layer, windows, windows + next * inputs, y, y + next * outputs);
  }
}
