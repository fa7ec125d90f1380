#include "etx_kernels.h"
#include "etx_row_dot.h"

/* Filters of two outputs, and where in the image their window begins. */
typedef struct {
  const int8_t *w, *next;
  int32_t top, left;
} window;

/* Adds the part of a window's row that lies in the image. */
static void add_row(const etx_convolution_params *p, const int8_t *x, const window *at, int32_t row, etx_two_sums *sums) {
  const int32_t channels = p->in_channels, filter = row * p->window_width * channels;
  const int8_t *image_row = x + (at->top + row * p->dilation_height) * p->in_width * channels;
  const int32_t together = p->dilation_width == 1 ? p->window_width : 1;
  for (int32_t i = 0; i < p->window_width; i += together) {
    const int32_t left = at->left + i * p->dilation_width, right = p->in_width - left;
    const int32_t begin = left < 0 ? -left : 0, end = together < right ? together : right;
    if (begin < end) {
      const int32_t place = filter + (i + begin) * channels;
      etx_add_row_dots(image_row + (left + begin) * channels, p->input_offset, at->w + place, at->next + place,
                       (end - begin) * channels, sums);
    }
  }
}

static void add_window(const etx_convolution_params *p, const int8_t *x, const window *at, etx_two_sums *sums) {
  for (int32_t row = 0; row < p->window_height; ++row) {
    const int32_t image_row = at->top + row * p->dilation_height;
    if (image_row >= 0 && image_row < p->in_height) {
      add_row(p, x, at, row, sums);
    }
  }
}

void etx_conv_2d_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w, const int32_t *bias,
                    const int32_t *mantissas, const int32_t *shifts, int8_t *y) {
  const int32_t filter_size = p->window_height * p->window_width * p->in_channels, outputs = p->out_channels;
  for (int32_t place = 0; place < p->out_height * p->out_width; ++place, y += outputs) {
    window at = {.top = place / p->out_width * p->stride_height - p->pad_top,
                 .left = place % p->out_width * p->stride_width - p->pad_left};
    for (int32_t c = 0; c < outputs; c += 2) {
      const int32_t next = c + 1 < outputs ? 1 : 0; /* an odd last output is its own neighbour */
      etx_two_sums sums = {bias[c], bias[c + next]};
      at.w = w + c * filter_size;
      at.next = at.w + next * filter_size;
      add_window(p, x, &at, &sums);
      y[c + next] =
          (int8_t)etx_requantize(sums.second, mantissas[c + next], shifts[c + next], p->output_offset, p->low, p->high);
      y[c] = (int8_t)etx_requantize(sums.first, mantissas[c], shifts[c], p->output_offset, p->low, p->high);
    }
  }
}
