#include "etx_kernels.h"
#include "etx_packed_matmul.h"

static int8_t *copy(int8_t *to, const int8_t *from, int32_t count) {
  for (; count >= 4; count -= 4, to += 4, from += 4) {
    etx_store_s8x4(to, etx_load_s8x4(from));
  }
  for (; count > 0; --count) {
    *to++ = *from++;
  }
  return to;
}

static int8_t *fill(int8_t *to, int32_t value, int32_t count) {
  for (; count > 0; --count) {
    *to++ = (int8_t)value;
  }
  return to;
}

/* One row of a window that begins at column `left`, zero points beyond the ends of the image. */
static int8_t *gather_row(const etx_convolution_params *p, const int8_t *row, int32_t left, int8_t *to) {
  const int32_t channels = p->in_channels;
  if (p->dilation_width == 1 && left >= 0 && left + p->window_width <= p->in_width) {
    return copy(to, row + left * channels, p->window_width * channels);
  }
  for (int32_t j = 0; j < p->window_width; ++j) {
    const int32_t column = left + j * p->dilation_width;
    if (column >= 0 && column < p->in_width) {
      to = copy(to, row + column * channels, channels);
    } else {
      to = fill(to, -p->input_offset, channels);
    }
  }
  return to;
}

/* The window of result number `index`. */
static void gather_window(const etx_convolution_params *p, const int8_t *x, int32_t index, int8_t *to) {
  const int32_t top = index / p->out_width * p->stride_height - p->pad_top;
  const int32_t left = index % p->out_width * p->stride_width - p->pad_left;
  for (int32_t i = 0; i < p->window_height; ++i) {
    const int32_t row = top + i * p->dilation_height;
    if (row >= 0 && row < p->in_height) {
      to = gather_row(p, x + row * p->in_width * p->in_channels, left, to);
    } else {
      to = fill(to, -p->input_offset, p->window_width * p->in_channels);
    }
  }
}

void etx_conv_2d_packed_s8(const etx_convolution_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                           int32_t *scratch) {
  const int32_t size = p->window_height * p->window_width * p->in_channels;
  const int32_t inputs = (size + 3) & ~3, outputs = p->out_channels, results = p->out_height * p->out_width;
  const etx_packed_layer layer = {packed, inputs, outputs, etx_limits_of(p->low, p->high)};
  int8_t *const window = (int8_t *)(scratch + inputs);
  int32_t index = 0;
  for (; index + 1 < results; index += 2) {
    gather_window(p, x, index, window);
    etx_expand_row(window, size, 2, scratch);
    gather_window(p, x, index + 1, window);
    etx_expand_row(window, size, 2, scratch + 1);
    etx_multiply_two_rows(&layer, scratch, y);
    y += 2 * outputs;
  }
  if (index < results) {
    gather_window(p, x, index, window);
    etx_expand_row(window, size, 1, scratch);
    etx_multiply_row(&layer, scratch, 1, y);
  }
}
