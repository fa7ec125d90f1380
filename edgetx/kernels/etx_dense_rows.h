/* The body of fully_connected_s8.c and fully_connected_once_s8.c, which define ETX_KERNEL and ETX_REQUANTIZE. */
#include "etx_kernels.h"
#include "etx_row_dot.h"

void ETX_KERNEL(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w, const int32_t *bias,
                const int32_t *mantissas, const int32_t *shifts, int8_t *y) {
  const int32_t inputs = p->in_features, outputs = p->out_features;
  for (int32_t row = 0; row < p->rows; ++row, x += inputs, y += outputs) {
    const int8_t *weights = w;
    for (int32_t out = 0; out < outputs; out += 2, weights += 2 * inputs) {
      const int32_t next = out + 1 < outputs ? 1 : 0; /* an odd last output is its own neighbour */
      etx_two_sums sums = {bias[out], bias[out + next]};
      etx_add_row_dots(x, p->input_offset, weights, weights + next * inputs, inputs, &sums);
      y[out + next] = (int8_t)ETX_REQUANTIZE(sums.second, mantissas[out + next], shifts[out + next], p->output_offset,
                                             p->low, p->high);
      y[out] = (int8_t)ETX_REQUANTIZE(sums.first, mantissas[out], shifts[out], p->output_offset, p->low, p->high);
    }
  }
}
