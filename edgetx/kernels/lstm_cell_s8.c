#include "etx_fixedpoint16.h"
#include "etx_kernels.h"
#include "etx_row_dot.h"

enum { GATE_BITS = 3 };

static int32_t gate_of(int32_t from_x, int32_t from_h) {
  return etx_clamp(etx_clamp(from_x, INT16_MIN, INT16_MAX) + from_h, INT16_MIN, INT16_MAX);
}

void etx_lstm_cell_s8(const etx_lstm_cell_params *p, const int8_t *x, const int8_t *h, const int16_t *c,
                      const int8_t *w, const int8_t *r, const int32_t *bias, const int32_t *x_mantissas,
                      const int32_t *x_shifts, const int32_t *h_mantissas, const int32_t *h_shifts, int8_t *y,
                      int16_t *cell) {
  const int32_t low = p->cell_limit > INT16_MAX ? INT16_MIN : -p->cell_limit;
  const int32_t high = p->cell_limit > INT16_MAX ? INT16_MAX : p->cell_limit;
  for (int32_t unit = 0; unit < p->units; ++unit) {
    int32_t gates[4];
    for (int32_t gate = 0; gate < 4; gate += 2) {
      const int32_t row = gate * p->units + unit, next = row + p->units;
      etx_two_sums from_x = {bias[row], bias[next]}, from_h = {0, 0};
      etx_add_row_dots(x, p->input_offset, w + row * p->inputs, w + next * p->inputs, p->inputs, &from_x);
      etx_add_row_dots(h, p->hidden_offset, r + row * p->units, r + next * p->units, p->units, &from_h);
      gates[gate] = gate_of(etx_multiply_by_quantized_multiplier(from_x.first, x_mantissas[row], x_shifts[row]),
                            etx_multiply_by_quantized_multiplier(from_h.first, h_mantissas[row], h_shifts[row]));
      gates[gate + 1] = gate_of(etx_multiply_by_quantized_multiplier(from_x.second, x_mantissas[next], x_shifts[next]),
                                etx_multiply_by_quantized_multiplier(from_h.second, h_mantissas[next], h_shifts[next]));
    }
    const int32_t kept = etx_rounding_shift_right(etx_logistic16(gates[1], GATE_BITS) * c[unit], 15);
    const int32_t fresh = etx_logistic16(gates[0], GATE_BITS) * etx_tanh16(gates[2], GATE_BITS);
    const int32_t sum = etx_clamp(kept + etx_rounding_shift_right(fresh, 15 + p->cell_bits), low, high);
    const int32_t hidden = etx_logistic16(gates[3], GATE_BITS) * etx_tanh16(sum, p->cell_bits);
    y[unit] = (int8_t)etx_requantize(hidden, p->mantissa, p->shift, p->output_offset, INT8_MIN, INT8_MAX);
    cell[unit] = (int16_t)sum;
  }
}
