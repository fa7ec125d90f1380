#include <stddef.h>

#include "etx_kernels.h"
#include "etx_rescale.h"

/* Planes of four channels, zero points around them. A word holds a pixel and the one below it. */
typedef struct {
  int32_t *words;
  int32_t row; /* words in a row */
  int32_t rows;
} planes;

/* Twice the weights of a channel, two rows in a word, for each column. */
typedef struct {
  int32_t upper[3]; /* rows 0 and 1 */
  int32_t lower[3]; /* rows 1 and 2 */
} filter;

static void split_word(const planes *to, int32_t index, int32_t above, int32_t below) {
  const int32_t size = to->row * to->rows;
  int32_t *word = to->words + index;
  word[0] = etx_pack_low(etx_extend_even(above), etx_extend_even(below));
  word[size] = etx_pack_low(etx_extend_odd(above), etx_extend_odd(below));
  word[2 * size] = etx_pack_high(etx_extend_even(above), etx_extend_even(below));
  word[3 * size] = etx_pack_high(etx_extend_odd(above), etx_extend_odd(below));
}

/* A row of pixels, or zero points without end. */
typedef struct {
  const int8_t *next;
  int32_t step;
} pixels;

static pixels pixels_of(const etx_convolution_params *p, const int8_t *x, int32_t row,
                        const int8_t *outside) {
  pixels none = {outside, 0}, some = {x + row * p->in_width * p->in_channels, p->in_channels};
  return row >= 0 && row < p->in_height ? some : none;
}

/* Splits up to four channels of the image into planes. */
static void split_channels(const etx_convolution_params *p, const int8_t *x, int32_t count,
                           const planes *to) {
  int8_t outside[4];
  etx_store_s8x4(outside, etx_repeat_s8(-p->input_offset));
  for (int32_t i = 0; i < to->rows; ++i) {
    pixels above = pixels_of(p, x, 2 * i - p->pad_top, outside);
    pixels below = pixels_of(p, x, 2 * i - p->pad_top + 1, outside);
    const int32_t first = i * to->row + p->pad_left;
    for (int32_t word = first; word < first + p->in_width; ++word) {
      split_word(to, word, etx_load_bytes(above.next, count), etx_load_bytes(below.next, count));
      above.next += above.step;
      below.next += below.step;
    }
  }
}

static filter load_filter(const int8_t *w, int32_t channels) {
  filter by;
  for (int32_t i = 0; i < 3; ++i, w += channels) {
    by.upper[i] = etx_pack_low(2 * w[0], 2 * w[3 * channels]);
    by.lower[i] = etx_pack_low(2 * w[3 * channels], 2 * w[6 * channels]);
  }
  return by;
}

/* A row of results, and `y_row` behind it the one below. The loop reads this struct in pairs. */
typedef struct {
  int32_t bias;
  int32_t mantissa, rounding;
  int32_t shift, limited;
  int32_t low, high;
  int32_t step, y_row;
  const int32_t *end; /* of the pixels above */
} rows;

#if defined(__ARM_FEATURE_DSP)

/* Adds a column of the window, r10 above and r11 below, to the sums r12 and lr. */
#define ADD_COLUMN(upper, lower) \
  "smlatb lr, r10, " upper       \
  ", lr\n"                       \
  "smlad r12, r10, " upper       \
  ", r12\n"                      \
  "smlabt r12, r11, " lower      \
  ", r12\n"                      \
  "smlad lr, r11, " lower ", lr\n"

static void filter_rows(const rows *to, const filter *by, const int32_t *above, const int32_t *below,
                        int8_t *y) {
  register const int32_t *x __asm__("r0") = above;
  register const int32_t *x_below __asm__("r1") = below;
  register const rows *frame __asm__("r8") = to;
  register int8_t *next __asm__("r9") = y;
  register const filter *weights __asm__("r10") = by;
  __asm__ volatile(
      "ldm r10, {r2, r3, r4, r5, r6, r7}\n"
      ".balign 4\n"
      "1:\n"
      "ldr r12, [r8]\n"
      "ldr r10, [r0], #4\n"
      "ldr r11, [r1], #4\n"
      "mov.w lr, r12\n" ADD_COLUMN("r2", "r5")
      "ldr r10, [r0]\n"
      "ldr r11, [r1]\n" ADD_COLUMN("r3", "r6")
      "ldr r10, [r0, #4]\n"
      "ldr r11, [r1, #4]\n" ADD_COLUMN("r4", "r7")
      "ldrd r10, r11, [r8, %[mantissa]]\n"
      "add r11, r11, r12, asr #31\n"
      "smmlar r12, r12, r10, r11\n"
      "ldr r11, [r8, %[rounding]]\n"
      "add r11, r11, lr, asr #31\n"
      "smmlar lr, lr, r10, r11\n"
      "ldrd r10, r11, [r8, %[shift]]\n"
      "asr r12, r12, r10\n"
      "asr lr, lr, r10\n"
      "ssat r12, #8, r12\n"
      "ssat lr, #8, lr\n"
      "cmp.w r11, #0\n"
      "bne.w 3f\n"
      "2:\n"
      "ldrd r10, r11, [r8, %[step]]\n"
      "strb lr, [r9, r11]\n"
      "strb r12, [r9]\n"
      "add.w r9, r9, r10\n"
      "ldr r10, [r8, %[end]]\n"
      "cmp r0, r10\n"
      "bne 1b\n"
      "b 4f\n"
      "3:\n" /* limits */
      "ldrd r10, r11, [r8, %[low]]\n"
      "cmp r12, r10\n"
      "it lt\n"
      "movlt r12, r10\n"
      "cmp lr, r10\n"
      "it lt\n"
      "movlt lr, r10\n"
      "cmp r12, r11\n"
      "it gt\n"
      "movgt r12, r11\n"
      "cmp lr, r11\n"
      "it gt\n"
      "movgt lr, r11\n"
      "b 2b\n"
      "4:\n"
      : "+r"(x), "+r"(x_below), "+r"(next), "+r"(weights)
      : "r"(frame), [mantissa] "I"(offsetof(rows, mantissa)), [rounding] "I"(offsetof(rows, rounding)),
        [shift] "I"(offsetof(rows, shift)), [low] "I"(offsetof(rows, low)), [step] "I"(offsetof(rows, step)),
        [end] "I"(offsetof(rows, end))
      : "r2", "r3", "r4", "r5", "r6", "r7", "r11", "r12", "lr", "cc", "memory");
}

#else

static void filter_rows(const rows *to, const filter *by, const int32_t *above, const int32_t *below,
                        int8_t *y) {
  const etx_rescaling rescaling = {to->mantissa, to->rounding, to->shift};
  for (; above != to->end; ++above, ++below, y += to->step) {
    int32_t sum = to->bias, sum_below = to->bias;
    for (int32_t i = 0; i < 3; ++i) {
      sum = etx_mac_low_high(below[i], by->lower[i], etx_dot(above[i], by->upper[i], sum));
      sum_below = etx_dot(below[i], by->lower[i], etx_mac_high_low(above[i], by->upper[i], sum_below));
    }
    y[to->y_row] = (int8_t)etx_clamp(etx_rescale(sum_below, &rescaling), to->low, to->high);
    y[0] = (int8_t)etx_clamp(etx_rescale(sum, &rescaling), to->low, to->high);
  }
}

#endif

static void filter_plane(const planes *in, const int32_t *plane, int32_t columns, int32_t height,
                         const filter *by, rows *to, int8_t *y) {
  const int32_t y_row = to->y_row, row = in->row;
  for (; height > 0; height -= 2) {
    to->end = plane + columns;
    to->y_row = height > 1 ? y_row : 0; /* an odd last row is stored over what lies below it */
    filter_rows(to, by, plane, plane + row, y);
    y += 2 * y_row;
    plane += row;
  }
  to->y_row = y_row;
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
      const filter by = load_filter(w + c, p->out_channels);
      rows results = {.bias = 2 * bias[c],
                      .mantissa = rescaling[3 * c],
                      .rounding = rescaling[3 * c + 1],
                      .shift = rescaling[3 * c + 2],
                      .limited = p->low != INT8_MIN || p->high != INT8_MAX,
                      .low = p->low,
                      .high = p->high,
                      .step = p->out_channels,
                      .y_row = p->out_width * p->out_channels};
      filter_plane(&to, scratch + (c - first) * size, p->out_width, p->out_height, &by, &results, y + c);
    }
  }
}
