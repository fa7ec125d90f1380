#include "etx_kernels.h"
#include "etx_row_dot.h"

static int8_t requantized(const etx_fully_connected_params *p, int32_t acc, int32_t mantissa, int32_t shift) {
  const int64_t scaled = etx_multiply_once(acc, mantissa, shift);
  const int64_t low = p->low - p->output_offset;
  const int64_t high = p->high - p->output_offset;
  const int64_t clamped = scaled < low ? low : (scaled > high ? high : scaled);
  return (int8_t)(clamped + p->output_offset);
}

void etx_fully_connected_once_s8(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w,
                                 const int32_t *bias, const int32_t *mantissas, const int32_t *shifts,
                                 int8_t *y) {
  const int32_t inputs = p->in_features, outputs = p->out_features;
  for (int32_t row = 0; row < p->rows; ++row, x += inputs, y += outputs) {
    const int8_t *weights = w;
    for (int32_t out = 0; out < outputs; out += 2, weights += 2 * inputs) {
      const int32_t next = out + 1 < outputs ? 1 : 0; /* an odd last output is its own neighbour */
      etx_two_sums sums = {bias[out], bias[out + next]};
      etx_add_row_dots(x, p->input_offset, weights, weights + next * inputs, inputs, &sums);
      y[out + next] = requantized(p, sums.second, mantissas[out + next], shifts[out + next]);
      y[out] = requantized(p, sums.first, mantissas[out], shifts[out]);
    }
  }
}
