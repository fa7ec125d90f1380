#include <stddef.h>

#include "etx_kernels.h"
#include "etx_rescale.h"

/* Four channels of the image, zero points around them. A word holds a pixel and the one below it; the words
 * of the channels take turns. */
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

static inline void split_word(int32_t *to, int32_t above, int32_t below) {
  const int32_t even = etx_extend_even(above), odd = etx_extend_odd(above);
  const int32_t even_below = etx_extend_even(below), odd_below = etx_extend_odd(below);
  to[0] = etx_pack_low(even, even_below);
  to[1] = etx_pack_low(odd, odd_below);
  to[2] = etx_pack_high(even, even_below);
  to[3] = etx_pack_high(odd, odd_below);
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

static inline __attribute__((always_inline)) void split_row(pixels above, pixels below, int32_t count,
                                                            int32_t width, int32_t *to) {
  for (const int32_t *const end = to + 4 * width; to != end; to += 4) {
    split_word(to, etx_load_bytes(above.next, count), etx_load_bytes(below.next, count));
    above.next += above.step;
    below.next += below.step;
  }
}

/* Splits up to four channels of the image. */
static void split_channels(const etx_convolution_params *p, const int8_t *x, int32_t count,
                           const planes *to) {
  int8_t outside[4];
  etx_store_s8x4(outside, etx_repeat_s8(-p->input_offset));
  int32_t *words = to->words + 4 * p->pad_left;
  for (int32_t row = -p->pad_top; row < 2 * to->rows - p->pad_top; row += 2) {
    const pixels above = pixels_of(p, x, row, outside), below = pixels_of(p, x, row + 1, outside);
    if (count == 4) {
      split_row(above, below, 4, p->in_width, words);
    } else {
      split_row(above, below, count, p->in_width, words);
    }
    words += to->row;
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

/* Rows of results, two at a time: one, and `y_row` behind it the one below. */
typedef struct {
  int32_t bias;
  int32_t mantissa, rounding;
  int32_t shift;
  int32_t step, y_row;
  const int32_t *end; /* of the pixels above */
  int32_t left;       /* rows */
  int32_t row_bytes;  /* of pixels */
  int32_t y_skip;     /* from the end of a row to the start of the next but one */
} results;

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

/* clang-format off */

#define RESCALE                        \
  "ldrd r10, r11, [r8, %[mantissa]]\n" \
  "add r11, r11, r12, asr #31\n"       \
  "smmlar r12, r12, r10, r11\n"        \
  "ldr r11, [r8, %[rounding]]\n"       \
  "add r11, r11, lr, asr #31\n"        \
  "smmlar lr, lr, r10, r11\n"

/* The same where negative results are cut off, so that it does not matter how their ties round. */
#define RESCALE_RECTIFIED              \
  "ldrd r10, r11, [r8, %[mantissa]]\n" \
  "smmlar r12, r12, r10, r11\n"        \
  "smmlar lr, lr, r10, r11\n"

#define FILTER_PLANE(name, rescale) \
static void name(results *to, const filter *by, const int32_t *plane, const int32_t *below, int8_t *y) { \
  register const int32_t *x __asm__("r0") = plane; \
  register const int32_t *x_below __asm__("r1") = below; \
  register results *frame __asm__("r8") = to; \
  register int8_t *next __asm__("r9") = y; \
  register const filter *weights __asm__("r10") = by; \
  __asm__ volatile( \
      "ldm r10, {r2, r3, r4, r5, r6, r7}\n" \
      ".balign 4\n" \
      "1:\n" \
      "ldr r12, [r8]\n" \
      "ldr r10, [r0], #16\n" \
      "ldr r11, [r1], #16\n" \
      "mov.w lr, r12\n" ADD_COLUMN("r2", "r5") \
      "ldr r10, [r0]\n" \
      "ldr r11, [r1]\n" ADD_COLUMN("r3", "r6") \
      "ldr r10, [r0, #16]\n" \
      "ldr r11, [r1, #16]\n" ADD_COLUMN("r4", "r7") \
      rescale \
      "ldr r10, [r8, %[shift]]\n" \
      "asr r12, r12, r10\n" \
      "asr lr, lr, r10\n" \
      "ssat r12, #8, r12\n" \
      "ssat lr, #8, lr\n" \
      "ldrd r10, r11, [r8, %[step]]\n" \
      "strb lr, [r9, r11]\n" \
      "strb r12, [r9]\n" \
      "add.w r9, r9, r10\n" \
      "ldr r10, [r8, %[end]]\n" \
      "cmp r0, r10\n" \
      "bne 1b\n" \
      "add r12, r8, %[left]\n" \
      "ldm r12, {r11, r12, lr}\n" \
      "subs r11, r11, #2\n" \
      "ble 4f\n" \
      "str r11, [r8, %[left]]\n" \
      "add r10, r10, r12\n" \
      "str r10, [r8, %[end]]\n" \
      "add r9, r9, lr\n" \
      "adds r0, r0, #32\n" \
      "adds r1, r1, #32\n" \
      "cmp r11, #1\n" \
      "itt eq\n" \
      "moveq r12, #0\n" \
      "streq r12, [r8, %[y_row]]\n" \
      "b 1b\n" \
      "4:\n" \
      : "+r"(x), "+r"(x_below), "+r"(next), "+r"(weights) \
      : "r"(frame), [mantissa] "I"(offsetof(results, mantissa)), [rounding] "I"(offsetof(results, rounding)), \
        [shift] "I"(offsetof(results, shift)), \
        [step] "I"(offsetof(results, step)), [y_row] "I"(offsetof(results, y_row)), \
        [end] "I"(offsetof(results, end)), [left] "I"(offsetof(results, left)) \
      : "r2", "r3", "r4", "r5", "r6", "r7", "r11", "r12", "lr", "cc", "memory"); \
}

FILTER_PLANE(filter_plane, RESCALE)
FILTER_PLANE(filter_plane_rectified, RESCALE_RECTIFIED)

/* clang-format on */

#else

static void filter_plane(results *to, const filter *by, const int32_t *plane, const int32_t *below,
                         int8_t *y) {
  const etx_rescaling rescaling = {to->mantissa, to->rounding, to->shift};
  for (; to->left > 0; to->left -= 2) {
    const int32_t y_row =
        to->left == 1 ? 0 : to->y_row; /* an odd last row is stored over what lies below it */
    for (; plane != to->end; plane += 4, below += 4, y += to->step) {
      int32_t sum = to->bias, sum_below = to->bias;
      for (int32_t i = 0; i < 3; ++i) {
        sum = etx_mac_low_high(below[4 * i], by->lower[i], etx_dot(plane[4 * i], by->upper[i], sum));
        sum_below =
            etx_dot(below[4 * i], by->lower[i], etx_mac_high_low(plane[4 * i], by->upper[i], sum_below));
      }
      y[y_row] = (int8_t)etx_rescale_doubled(sum_below, &rescaling);
      y[0] = (int8_t)etx_rescale_doubled(sum, &rescaling);
    }
    to->end += to->row_bytes / 4;
    plane += 8;
    below += 8;
    y += to->y_skip;
  }
}

static void filter_plane_rectified(results *to, const filter *by, const int32_t *plane, const int32_t *below,
                                   int8_t *y) {
  filter_plane(to, by, plane, below, y);
}

#endif

static void limit(const etx_convolution_params *p, int8_t *y) {
  for (int32_t left = p->out_height * p->out_width * p->out_channels; left > 0; --left, ++y) {
    *y = (int8_t)etx_clamp(*y, p->low, p->high);
  }
}

void etx_depthwise_conv_2d_3x3_s8(const etx_convolution_params *params, const int8_t *x, const int8_t *w,
                                  const int32_t *bias, const int32_t *rescaling, int8_t *y,
                                  int32_t *scratch) {
  const etx_convolution_params here = *params; /* next to the stack rather than in flash */
  const etx_convolution_params *p = &here;
  const planes to = {scratch, 4 * (p->out_width + 2), (p->out_height + 3) / 2};
  const int32_t channels = p->out_channels;
  const int32_t zero_points = (int32_t)(((uint32_t)-p->input_offset & 0xFFFFu) * 0x10001u);
  for (int32_t *word = scratch, *const end = scratch + to.row * to.rows; word != end; ++word) {
    *word = zero_points;
  }
  for (int32_t first = 0; first < channels; first += 4) {
    const int32_t count = channels - first < 4 ? channels - first : 4;
    split_channels(p, x + first, count, &to);
    for (int32_t c = 0; c < count; ++c, rescaling += 3) {
      const filter by = load_filter(w + first + c, channels);
      const int32_t *plane = scratch + c;
      results all = {.bias = 2 * bias[first + c],
                     .mantissa = rescaling[0],
                     .rounding = rescaling[1],
                     .shift = rescaling[2],
                     .step = channels,
                     .y_row = p->out_height > 1 ? p->out_width * channels : 0,
                     .end = plane + 4 * p->out_width,
                     .left = p->out_height,
                     .row_bytes = 4 * to.row,
                     .y_skip = p->out_width * channels};
      if (p->low >= p->output_offset) {
        filter_plane_rectified(&all, &by, plane, plane + to.row, y + first + c);
      } else {
        filter_plane(&all, &by, plane, plane + to.row, y + first + c);
      }
    }
  }
  if (p->low != INT8_MIN || p->high != INT8_MAX) {
    limit(p, y);
  }
}
