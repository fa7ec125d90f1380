#include "etx_kernels.h"
#include "etx_rescale.h"

/* Planes of four channels, zero points around them. A word holds a pixel and the one below it. */
typedef struct {
  int32_t *words;
  int32_t row; /* words in a row */
  int32_t rows;
} planes;

/* Twice the weights and the bias of a channel. */
typedef struct {
  int32_t upper[3]; /* for each column the weights of rows 0 and 1 */
  int32_t lower[3]; /* rows 1 and 2 */
  int32_t bias;
  etx_rescaling rescaling;
} filter;

static void split_word(const planes *to, int32_t index, int32_t above, int32_t below) {
  const int32_t size = to->row * to->rows;
  int32_t *word = to->words + index;
  word[0] = etx_pack_low(etx_extend_even(above), etx_extend_even(below));
  word[size] = etx_pack_low(etx_extend_odd(above), etx_extend_odd(below));
  word[2 * size] = etx_pack_high(etx_extend_even(above), etx_extend_even(below));
  word[3 * size] = etx_pack_high(etx_extend_odd(above), etx_extend_odd(below));
}

/* Splits up to four channels of the image into planes. */
static void split_channels(const etx_convolution_params *p, const int8_t *x, int32_t count,
                           const planes *to) {
  const int32_t channels = p->in_channels, zero_points = etx_repeat_s8(-p->input_offset);
  for (int32_t i = 0; i < to->rows; ++i) {
    const int32_t row = 2 * i - p->pad_top;
    const int has_above = row >= 0 && row < p->in_height, has_below = row + 1 < p->in_height;
    const int8_t *above = x + row * p->in_width * channels, *below = above + p->in_width * channels;
    for (int32_t j = 0; j < p->in_width; ++j) {
      const int32_t word = has_above ? etx_load_bytes(above, count) : zero_points;
      split_word(to, i * to->row + p->pad_left + j, word,
                 has_below ? etx_load_bytes(below, count) : zero_points);
      above += channels;
      below += channels;
    }
  }
}

static filter load_filter(const etx_convolution_params *p, const int8_t *w, int32_t bias,
                          const int32_t *rescaling) {
  filter f = {.bias = 2 * bias, .rescaling = {rescaling[0], rescaling[1], rescaling[2]}};
  const int32_t row = 3 * p->out_channels;
  for (int32_t i = 0; i < 3; ++i) {
    f.upper[i] = etx_pack_low(2 * w[0], 2 * w[row]);
    f.lower[i] = etx_pack_low(2 * w[row], 2 * w[2 * row]);
    w += p->out_channels;
  }
  return f;
}

/* Adds a column of the window to the sum of a result and to that of the one below. */
static inline void add_column(int32_t above, int32_t below, int32_t upper, int32_t lower, int32_t *sum,
                              int32_t *sum_below) {
  *sum = etx_mac_low_high(below, lower, etx_dot(above, upper, *sum));
  *sum_below = etx_dot(below, lower, etx_mac_high_low(above, upper, *sum_below));
}

/* A row of results and, `y_row` behind it, the one below. */
static inline void filter_rows(const filter *f, const int32_t *above, const planes *in,
                               const etx_convolution_params *p, int32_t y_row, int8_t *y) {
  const int32_t step = p->out_channels;
  const int clamps = p->low != INT8_MIN || p->high != INT8_MAX;
  const int32_t *below = above + in->row;
  for (const int32_t *const end = above + p->out_width; above != end; ++above, ++below) {
    int32_t upper = f->bias, lower = f->bias;
    add_column(above[0], below[0], f->upper[0], f->lower[0], &upper, &lower);
    add_column(above[1], below[1], f->upper[1], f->lower[1], &upper, &lower);
    add_column(above[2], below[2], f->upper[2], f->lower[2], &upper, &lower);
    etx_rescale_two(&upper, &lower, &f->rescaling);
    if (clamps) {
      upper = etx_clamp(upper, p->low, p->high);
      lower = etx_clamp(lower, p->low, p->high);
    }
    y[y_row] = (int8_t)lower;
    y[0] = (int8_t)upper;
    y += step;
  }
}

static void filter_plane(const etx_convolution_params *p, const int32_t *plane, const planes *in,
                         const filter *f, int8_t *y) {
  const int32_t y_row = p->out_width * p->out_channels;
  for (int32_t left = p->out_height; left > 0; left -= 2) {
    filter_rows(f, plane, in, p, left > 1 ? y_row : 0, y);
    y += 2 * y_row;
    plane += in->row;
  }
}

void etx_depthwise_conv_2d_3x3_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                                  const int32_t *bias, const int32_t *rescaling, int8_t *y,
                                  int32_t *scratch) {
  const planes to = {scratch, p->out_width + 2, (p->out_height + 3) / 2};
  const int32_t size = to.row * to.rows;
  for (int32_t i = 0; i < 4 * size; ++i) {
    scratch[i] = (int32_t)(((uint32_t)-p->input_offset & 0xFFFFu) * 0x10001u);
  }
  for (int32_t first = 0; first < p->in_channels; first += 4) {
    const int32_t left = p->in_channels - first, count = left < 4 ? left : 4;
    split_channels(p, x + first, count, &to);
    for (int32_t c = first; c < first + count; ++c) {
      const filter f = load_filter(p, w + c, bias[c], rescaling + 3 * c);
      filter_plane(p, scratch + (c - first) * size, &to, &f, y + c);
    }
  }
}
