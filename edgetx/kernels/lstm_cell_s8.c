#include "etx_fixedpoint16.h"
#include "etx_kernels.h"

enum { GATE_BITS = 3 };

static int32_t dot(const int8_t *a, const int8_t *w, int32_t offset, int32_t size) {
  int32_t sum = 0;
  for (int32_t i = 0; i < size; ++i) {
    sum += (a[i] + offset) * w[i];
  }
  return sum;
}

void etx_lstm_cell_s8(const etx_lstm_cell_params *p, const int8_t *x, const int8_t *h, const int16_t *c,
                      const int8_t *w, const int8_t *r, const int32_t *bias, const int32_t *x_mantissas,
                      const int32_t *x_shifts, const int32_t *h_mantissas, const int32_t *h_shifts, int8_t *y,
                      int16_t *cell) {
  const int32_t low = p->cell_limit > INT16_MAX ? INT16_MIN : -p->cell_limit;
  const int32_t high = p->cell_limit > INT16_MAX ? INT16_MAX : p->cell_limit;
  for (int32_t unit = 0; unit < p->units; ++unit) {
    int32_t gates[4];
    for (int32_t gate = 0; gate < 4; ++gate) {
      const int32_t row = gate * p->units + unit;
      const int32_t from_x = bias[row] + dot(x, w + row * p->inputs, p->input_offset, p->inputs);
      const int32_t from_h = dot(h, r + row * p->units, p->hidden_offset, p->units);
      const int32_t scaled_x = etx_multiply_by_quantized_multiplier(from_x, x_mantissas[row], x_shifts[row]);
      const int32_t scaled_h = etx_multiply_by_quantized_multiplier(from_h, h_mantissas[row], h_shifts[row]);
      gates[gate] = etx_clamp(etx_clamp(scaled_x, INT16_MIN, INT16_MAX) + scaled_h, INT16_MIN, INT16_MAX);
    }
    const int32_t kept = etx_rounding_shift_right(etx_logistic16(gates[1], GATE_BITS) * c[unit], 15);
    const int32_t fresh = etx_logistic16(gates[0], GATE_BITS) * etx_tanh16(gates[2], GATE_BITS);
    const int32_t sum = etx_clamp(kept + etx_rounding_shift_right(fresh, 15 + p->cell_bits), low, high);
    const int32_t hidden = etx_logistic16(gates[3], GATE_BITS) * etx_tanh16(sum, p->cell_bits);
    y[unit] = (int8_t)etx_requantize(hidden, p->mantissa, p->shift, p->output_offset, INT8_MIN, INT8_MAX);
    cell[unit] = (int16_t)sum;
  }
}
