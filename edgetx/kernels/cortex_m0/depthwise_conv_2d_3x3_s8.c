#include "etx_kernels.h"
#include "etx_rescale.h"

/* A channel of the image with zero points around it, `row` pixels to a row. */
static void copy_channel(const etx_convolution_params *p, const int8_t *x, int32_t row, int32_t *plane) {
  plane += p->pad_top * row + p->pad_left;
  for (int32_t i = 0; i < p->in_height; ++i) {
    for (int32_t j = 0; j < p->in_width; ++j) {
      plane[j] = *x;
      x += p->in_channels;
    }
    plane += row;
  }
}

static inline int32_t row_sum(const int32_t *x, const int32_t *w) {
  return x[0] * w[0] + x[1] * w[1] + x[2] * w[2];
}

/* What filtering a channel reads again and again, next to the stack rather than in flash. */
typedef struct {
  int32_t weights[9];
  int32_t bias;
  etx_rescaling rescaling;
  int32_t low, high;
  int32_t rows, columns, step;
} filter;

static void filter_plane(const filter *f, const int32_t *plane, int32_t row, int8_t *y) {
  const int32_t *w = f->weights;
  for (int32_t i = f->rows; i > 0; --i) {
    for (const int32_t *x = plane, *const end = plane + f->columns; x != end; ++x) {
      const int32_t sum = f->bias + row_sum(x, w) + row_sum(x + row, w + 3) + row_sum(x + 2 * row, w + 6);
      *y = (int8_t)etx_clamp(etx_rescale(sum, &f->rescaling), f->low, f->high);
      y += f->step;
    }
    plane += row;
  }
}

void etx_depthwise_conv_2d_3x3_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                                  const int32_t *bias, const int32_t *rescaling, int8_t *y,
                                  int32_t *scratch) {
  const etx_convolution_params here = *p;
  const int32_t row = here.out_width + 2;
  filter f = {.low = here.low,
              .high = here.high,
              .rows = here.out_height,
              .columns = here.out_width,
              .step = here.out_channels};
  for (int32_t i = 0; i < row * (here.out_height + 2); ++i) {
    scratch[i] = -here.input_offset;
  }
  for (int32_t c = 0; c < here.in_channels; ++c) {
    for (int32_t i = 0; i < 9; ++i) {
      f.weights[i] = w[i * here.in_channels + c];
    }
    f.bias = bias[c];
    f.rescaling = ((const etx_rescaling *)rescaling)[c];
    copy_channel(&here, x + c, row, scratch);
    filter_plane(&f, scratch, row, y + c);
  }
}
