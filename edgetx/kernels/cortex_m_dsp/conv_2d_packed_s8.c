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

/* Bytes of neighbouring columns that lie before, in and behind the image. */
typedef struct {
  int32_t before, inside, after;
} run;

static run make_run(const etx_convolution_params *p, int32_t left, int32_t columns) {
  int32_t before = left < 0 ? -left : 0;
  int32_t after = left + columns > p->in_width ? left + columns - p->in_width : 0;
  before = before < columns ? before : columns;
  after = after < columns ? after : columns;
  const run bytes = {before * p->in_channels, (columns - before - after) * p->in_channels,
                     after * p->in_channels};
  return bytes;
}

/* Columns of a window whose first one is `left`, zero points beyond the ends of the image; every `distance`
 * bytes. */
static void gather_columns(const etx_convolution_params *p, const int8_t *x, int32_t top, int32_t left,
                           int32_t columns, int32_t distance, int8_t *to) {
  const run bytes = make_run(p, left, columns);
  const int8_t *from = x + (top * p->in_width + left) * p->in_channels + bytes.before;
  int32_t row = top;
  for (int32_t i = 0; i < p->window_height; ++i) {
    if (row >= 0 && row < p->in_height) {
      int8_t *next = fill(to, -p->input_offset, bytes.before);
      next = copy(next, from, bytes.inside);
      fill(next, -p->input_offset, bytes.after);
    } else {
      fill(to, -p->input_offset, columns * p->in_channels);
    }
    to += distance;
    row += p->dilation_height;
    from += p->dilation_height * p->in_width * p->in_channels;
  }
}

/* The window of result number `index`. */
static void gather_window(const etx_convolution_params *p, const int8_t *x, int32_t index, int8_t *to) {
  const int32_t top = index / p->out_width * p->stride_height - p->pad_top;
  const int32_t left = index % p->out_width * p->stride_width - p->pad_left;
  const int32_t distance = p->window_width * p->in_channels;
  if (p->dilation_width == 1) {
    gather_columns(p, x, top, left, p->window_width, distance, to);
    return;
  }
  for (int32_t j = 0; j < p->window_width; ++j) {
    gather_columns(p, x, top, left + j * p->dilation_width, 1, distance, to + j * p->in_channels);
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
