#include "etx_dsp.h"
#include "etx_rescale.h"
#include "etx_taps.h"

/* Of four channels. */
typedef struct {
  int32_t a, b, c, d;
} sums;

static inline void add_tap(int32_t offsets, int32_t inputs, int32_t weights, sums *to) {
  const int32_t even = etx_extend_even_onto(offsets, inputs), odd = etx_extend_odd_onto(offsets, inputs);
  const int32_t even_weights = etx_extend_even(weights), odd_weights = etx_extend_odd(weights);
  to->a = etx_mac_low_low(even, even_weights, to->a);
  to->b = etx_mac_low_low(odd, odd_weights, to->b);
  to->c = etx_mac_high_high(even, even_weights, to->c);
  to->d = etx_mac_high_high(odd, odd_weights, to->d);
}

/* Adds up to four channels of a row of taps. */
static inline void add_row(const etx_convolution_params *p, const int8_t *x, const int8_t *w, int32_t columns,
                           int32_t count, sums *to) {
  const int32_t channels = p->in_channels, step = p->dilation_width * channels;
  const int32_t offsets = etx_pack_low(p->input_offset, p->input_offset);
  sums all = *to;
  for (; columns > 0; --columns, x += step, w += channels) {
    add_tap(offsets, etx_load_bytes(x, count), etx_load_bytes(w, count), &all);
  }
  *to = all;
}

static inline __attribute__((always_inline)) int32_t results(const etx_convolution_params *p, const etx_taps *taps,
                                                             int32_t channel, int32_t count, sums all,
                                                             const etx_rescaling *by) {
  const int32_t down = p->dilation_height * p->in_width * p->in_channels, width = p->window_width * p->in_channels;
  const int8_t *x = taps->x + channel, *w = taps->w + channel;
  for (int32_t left = taps->rows; left > 0; --left, x += down, w += width) {
    add_row(p, x, w, taps->columns, count, &all);
  }
  return etx_pack_s8x4(etx_rescale_doubled(2 * all.a, by), etx_rescale_doubled(2 * all.b, by + 1),
                       etx_rescale_doubled(2 * all.c, by + 2), etx_rescale_doubled(2 * all.d, by + 3));
}

void etx_depthwise_conv_2d_packed_s8(const etx_convolution_params *params, const int8_t *x, const int8_t *w,
                                     const int32_t *bias, const int32_t *rescaling, int8_t *y) {
  const etx_convolution_params here = *params; /* next to the stack rather than in flash */
  const etx_convolution_params *p = &here;
  const int32_t channels = here.in_channels, whole = channels & ~3;
  const etx_limits limits = etx_limits_of(here.low, here.high);
  etx_place place = etx_first_place(p);
  for (int32_t left = here.out_height * here.out_width; left > 0; --left, y += channels, etx_next_place(p, &place)) {
    const etx_taps taps = etx_taps_of(p, x, w, place);
    const etx_rescaling *by = (const etx_rescaling *)rescaling;
    const int32_t *start = bias;
    for (int32_t c = 0; c < whole; c += 4, by += 4, start += 4) {
      const sums all = {start[0], start[1], start[2], start[3]};
      etx_store_results(y + c, results(p, &taps, c, 4, all, by), 4, limits);
    }
    if (whole != channels) {
      const sums all = {start[0], start[1], start[2], start[3]};
      etx_store_results(y + whole, results(p, &taps, whole, channels - whole, all, by), channels - whole, limits);
    }
  }
}
