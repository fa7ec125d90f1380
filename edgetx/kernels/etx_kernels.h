/* Prototypes and parameters of all kernels.
 *
 * Every kernel is called as etx_<op>_<dtype>(&params, operands..., results...[, scratch]). Tensors are dense,
 * channels last. A result is requantize(acc) = clamp(acc * mantissa * 2^(shift - 31) + output_offset, low,
 * high), with a mantissa and a shift per output channel where they are arrays. Folders beside this one hold
 * faster kernels for particular cores under the same names and prototypes.
 */
#ifndef ETX_KERNELS_H
#define ETX_KERNELS_H

#include <stdint.h>

#include "etx_fixedpoint.h"

/* y[rows][out] = requantize((x[rows][in] + input_offset) . w[out][in] + bias[out]) */
typedef struct {
  int32_t rows;
  int32_t in_features;
  int32_t out_features;
  int32_t input_offset;
  int32_t output_offset;
  int32_t low;
  int32_t high;
} etx_fully_connected_params;

void etx_fully_connected_s8(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w,
                            const int32_t *bias, const int32_t *mantissas, const int32_t *shifts, int8_t *y);
void etx_fully_connected_s16(const etx_fully_connected_params *p, const int16_t *x, const int8_t *w,
                             const int64_t *bias, const int32_t *mantissas, const int32_t *shifts,
                             int16_t *y);
/* The same with weights of two outputs packed together by edgetx/plan/packing; scratch holds two rows. */
void etx_fully_connected_packed_s16(const etx_fully_connected_params *p, const int16_t *x, const int32_t *packed,
                                    const int64_t *bias, const int32_t *mantissas, const int32_t *shifts, int16_t *y,
                                    int32_t *scratch);

/* The same rounded once instead of twice. */
void etx_fully_connected_once_s8(const etx_fully_connected_params *p, const int8_t *x, const int8_t *w,
                                 const int32_t *bias, const int32_t *mantissas, const int32_t *shifts,
                                 int8_t *y);

/* The same with weights, bias, input_offset and multipliers packed by edgetx/plan/packing; scratch holds
 * two rows of x in 16 bits, then copies of weights. y may be x if it has as many features and weights are not copied
 * in parts. */
void etx_fully_connected_packed_s8(const etx_fully_connected_params *p, const int8_t *x,
                                   const int32_t *packed, int8_t *y, int32_t *scratch);
void etx_fully_connected_once_packed_s8(const etx_fully_connected_params *p, const int8_t *x,
                                        const int32_t *packed, int8_t *y, int32_t *scratch);
/* Packed weights one of which is -128. */
void etx_fully_connected_raised_s8(const etx_fully_connected_params *p, const int8_t *x,
                                   const int32_t *packed, int8_t *y, int32_t *scratch);
void etx_fully_connected_once_raised_s8(const etx_fully_connected_params *p, const int8_t *x,
                                        const int32_t *packed, int8_t *y, int32_t *scratch);

/* The same packed for dot products, without scratch. */
void etx_fully_connected_dot_s8(const etx_fully_connected_params *p, const int8_t *x, const int32_t *packed,
                                int8_t *y);

/* y[batches][rows][columns] = requantize(sum over depth of (a + a_offset) * (b + b_offset)); steps are the
 * distances between batches, between rows of a or along the depth of b, and along the depth of a or between
 * columns of b. */
typedef struct {
  int32_t batches;
  int32_t rows;
  int32_t depth;
  int32_t columns;
  int32_t a_steps[3];
  int32_t b_steps[3];
  int32_t a_offset;
  int32_t b_offset;
  int32_t mantissa;
  int32_t shift;
  int32_t output_offset;
  int32_t low;
  int32_t high;
} etx_batch_matmul_params;

void etx_batch_matmul_s8(const etx_batch_matmul_params *p, const int8_t *a, const int8_t *b, int8_t *y);
/* The same for rows that lie together, results of all 8 bits and multipliers that shift to the right; scratch holds
 * two columns in 16 bits. */
void etx_batch_matmul_pairs_s8(const etx_batch_matmul_params *p, const int8_t *a, const int8_t *b, int8_t *y,
                               int32_t *scratch);
void etx_batch_matmul_s16(const etx_batch_matmul_params *p, const int16_t *a, const int16_t *b, int16_t *y);

/* Convolution of one image [height][width][channels]: w[out][window][in], depthwise w[window][out]. */
typedef struct {
  int32_t in_height;
  int32_t in_width;
  int32_t in_channels;
  int32_t out_height;
  int32_t out_width;
  int32_t out_channels;
  int32_t window_height;
  int32_t window_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t pad_top;
  int32_t pad_left;
  int32_t dilation_height;
  int32_t dilation_width;
  int32_t input_offset;
  int32_t output_offset;
  int32_t low;
  int32_t high;
} etx_convolution_params;

void etx_conv_2d_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w, const int32_t *bias,
                    const int32_t *mantissas, const int32_t *shifts, int8_t *y);
void etx_conv_2d_s16(const etx_convolution_params *p, const int16_t *x, const int8_t *w, const int64_t *bias,
                     const int32_t *mantissas, const int32_t *shifts, int16_t *y);
/* Packed as for a fully connected layer, rows of windows filled up to fours; scratch holds two windows. */
void etx_conv_2d_packed_s16(const etx_convolution_params *p, const int16_t *x, const int32_t *packed,
                            const int64_t *bias, const int32_t *mantissas, const int32_t *shifts, int16_t *y,
                            int32_t *scratch);
void etx_depthwise_conv_2d_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                              const int32_t *bias, const int32_t *mantissas, const int32_t *shifts,
                              int8_t *y);
void etx_depthwise_conv_2d_s16(const etx_convolution_params *p, const int16_t *x, const int8_t *w,
                               const int64_t *bias, const int32_t *mantissas, const int32_t *shifts,
                               int16_t *y);

/* Packed as for a fully connected layer, rows of windows filled up to words; behind the rows scratch also holds two
 * windows. */
void etx_conv_2d_packed_s8(const etx_convolution_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                           int32_t *scratch);
void etx_conv_2d_raised_s8(const etx_convolution_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                           int32_t *scratch);
void etx_conv_2d_dot_s8(const etx_convolution_params *p, const int8_t *x, const int32_t *packed, int8_t *y);

/* Depthwise with one result per channel; rescaling is packed, bias and rescaling are filled up to fours. */
void etx_depthwise_conv_2d_packed_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                                     const int32_t *bias, const int32_t *rescaling, int8_t *y);

/* Depthwise with windows of 3 x 3, steps of 1 and one result per channel; bias includes input_offset,
 * rescaling is packed. scratch holds four channels in 16 bits with their borders. y may be x. */
void etx_depthwise_conv_2d_3x3_s8(const etx_convolution_params *p, const int8_t *x, const int8_t *w,
                                  const int32_t *bias, const int32_t *rescaling, int8_t *y, int32_t *scratch);

/* Mean, to nearest with ties away from 0, or maximum of the part of each window that lies in the image. */
typedef struct {
  int32_t in_height;
  int32_t in_width;
  int32_t in_channels;
  int32_t out_height;
  int32_t out_width;
  int32_t out_channels;
  int32_t window_height;
  int32_t window_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t pad_top;
  int32_t pad_left;
  int32_t low;
  int32_t high;
} etx_pool_params;

void etx_average_pool_2d_s8(const etx_pool_params *p, const int8_t *x, int8_t *y);
void etx_average_pool_2d_s16(const etx_pool_params *p, const int16_t *x, int16_t *y);
void etx_max_pool_2d_s8(const etx_pool_params *p, const int8_t *x, int8_t *y);
void etx_max_pool_2d_s16(const etx_pool_params *p, const int16_t *x, int16_t *y);

/* y = requantize(fine(a) + sign * fine(b)), fine(x) = (x + offset) * 2^left_shift * mantissa * 2^(shift -
 * 31). */
typedef struct {
  int32_t dims[4];
  int32_t a_steps[4]; /* distance between neighbours along each axis; 0 where an operand is repeated */
  int32_t b_steps[4];
  int32_t left_shift;
  int32_t sign;
  int32_t a_offset;
  int32_t a_mantissa;
  int32_t a_shift;
  int32_t b_offset;
  int32_t b_mantissa;
  int32_t b_shift;
  int32_t mantissa;
  int32_t shift;
  int32_t output_offset;
  int32_t low;
  int32_t high;
} etx_add_params;

void etx_add_s8(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y);
/* The same if no multiplier shifts to the left. */
void etx_add_narrow_s8(const etx_add_params *p, const int8_t *a, const int8_t *b, int8_t *y);
void etx_add_s16(const etx_add_params *p, const int16_t *a, const int16_t *b, int16_t *y);

/* y = requantize((a + a_offset) * (b + b_offset)) */
typedef struct {
  int32_t dims[4];
  int32_t a_steps[4];
  int32_t b_steps[4];
  int32_t a_offset;
  int32_t b_offset;
  int32_t mantissa;
  int32_t shift;
  int32_t output_offset;
  int32_t low;
  int32_t high;
} etx_mul_params;

void etx_mul_s8(const etx_mul_params *p, const int8_t *a, const int8_t *b, int8_t *y);

/* The same if the multiplier is below one half. */
void etx_mul_narrow_s8(const etx_mul_params *p, const int8_t *a, const int8_t *b, int8_t *y);
void etx_mul_s16(const etx_mul_params *p, const int16_t *a, const int16_t *b, int16_t *y);

/* y = the larger, or the smaller, of a and b */
typedef struct {
  int32_t dims[4];
  int32_t a_steps[4];
  int32_t b_steps[4];
} etx_extreme_params;

void etx_maximum_s8(const etx_extreme_params *p, const int8_t *a, const int8_t *b, int8_t *y);
void etx_maximum_s16(const etx_extreme_params *p, const int16_t *a, const int16_t *b, int16_t *y);
void etx_minimum_s8(const etx_extreme_params *p, const int8_t *a, const int8_t *b, int8_t *y);
void etx_minimum_s16(const etx_extreme_params *p, const int16_t *a, const int16_t *b, int16_t *y);

/* Where row number `row` of the last axis begins. */
static inline int32_t etx_row_start(const int32_t dims[4], const int32_t steps[4], int32_t row) {
  const int32_t outer = row / dims[2];
  return row % dims[2] * steps[2] + outer % dims[1] * steps[1] + outer / dims[1] * steps[0];
}

/* y[outer][inner] = requantize(sum of x[outer][count][inner] + count * input_offset), over the whole element
 * type */
typedef struct {
  int32_t outer;
  int32_t count;
  int32_t inner;
  int32_t input_offset;
  int32_t mantissa;
  int32_t shift;
  int32_t output_offset;
} etx_mean_params;

void etx_mean_s8(const etx_mean_params *p, const int8_t *x, int8_t *y);
void etx_mean_s16(const etx_mean_params *p, const int16_t *x, int16_t *y);

/* y[outer][inner] = largest of x[outer][count][inner] */
typedef struct {
  int32_t outer;
  int32_t count;
  int32_t inner;
} etx_reduce_max_params;

void etx_reduce_max_s8(const etx_reduce_max_params *p, const int8_t *x, int8_t *y);
void etx_reduce_max_s16(const etx_reduce_max_params *p, const int16_t *x, int16_t *y);

/* y[i] = requantize(x[i] + input_offset), over the whole element type of y */
typedef struct {
  int32_t size;
  int32_t input_offset;
  int32_t mantissa;
  int32_t shift;
  int32_t output_offset;
} etx_quantize_params;

void etx_quantize_s8_s8(const etx_quantize_params *p, const int8_t *x, int8_t *y);
void etx_quantize_s8_s16(const etx_quantize_params *p, const int8_t *x, int16_t *y);
void etx_quantize_s16_s8(const etx_quantize_params *p, const int16_t *x, int8_t *y);
void etx_quantize_s8_u8(const etx_quantize_params *p, const int8_t *x, uint8_t *y);
void etx_quantize_u8_s8(const etx_quantize_params *p, const uint8_t *x, int8_t *y);
void etx_quantize_s16_s32(const etx_quantize_params *p, const int16_t *x, int32_t *y);
void etx_quantize_s16_s16(const etx_quantize_params *p, const int16_t *x, int16_t *y);

/* y[i] = table[x[i] + 128] */
typedef struct {
  int32_t size;
} etx_lut_params;

void etx_lut_s8(const etx_lut_params *p, const int8_t *x, const int8_t *table, int8_t *y);
void etx_lut_s8_s16(const etx_lut_params *p, const int8_t *x, const int16_t *table, int16_t *y);

/* y = sqrt(a^2 + b^2), to nearest. */
typedef struct {
  int32_t size;
} etx_hypot_params;

void etx_hypot_s8(const etx_hypot_params *p, const int8_t *a, const int8_t *b, int8_t *y);
void etx_hypot_s16(const etx_hypot_params *p, const int16_t *a, const int16_t *b, int16_t *y);

/* y = requantize(log2(2 x) in Q16 + input_offset), where x of 0 and below counts as 1/2. */
typedef struct {
  int32_t size;
  int32_t input_offset;
  int32_t mantissa;
  int32_t shift;
  int32_t output_offset;
} etx_log_params;

void etx_log_s16(const etx_log_params *p, const int16_t *x, const int32_t *table, int16_t *y);

/* Softmax of rows, with scale 1/256 and zero point -128. */
typedef struct {
  int32_t rows;
  int32_t width;
  int32_t mantissa; /* differences from the row's maximum to 5 integer bits */
  int32_t shift;
  int32_t least_difference; /* those below weigh nothing */
} etx_softmax_params;

void etx_softmax_s8(const etx_softmax_params *p, const int8_t *x, int8_t *y);

/* The same with a table of exp of each difference, as far as they count. */
typedef struct {
  int32_t rows;
  int32_t width;
  int32_t entries;
} etx_softmax_table_params;

void etx_softmax_table_s8(const etx_softmax_table_params *p, const int8_t *x, const int32_t *powers,
                          int8_t *y);

/* The same with all 256 entries, of which those behind the last that counts are 0. */
void etx_softmax_packed_s8(const etx_softmax_table_params *p, const int8_t *x, const int32_t *powers, int8_t *y);

/* As etx_softmax_s8, with scale 1/65536 and zero point -32768. */
void etx_softmax_s8_s16(const etx_softmax_params *p, const int8_t *x, int16_t *y);

/* Rows scaled to unit length, with scale 1/128 and zero point 0. */
typedef struct {
  int32_t rows;
  int32_t width;
  int32_t input_offset;
} etx_l2_normalization_params;

void etx_l2_normalization_s8(const etx_l2_normalization_params *p, const int8_t *x, int8_t *y);

/* y = gamma * (x - mean) / sqrt(variance + epsilon) + beta over rows of `width`; without `center`, by the
 * root mean square. epsilon is in units of width^2 * scale(x)^2 / 2^8. */
typedef struct {
  int32_t rows;
  int32_t width;
  int32_t center;
  int32_t input_offset;
  int32_t output_offset;
  int64_t epsilon;
  int32_t root_bits;   /* bits of the reciprocal root, so that products stay within 32 bits */
  int32_t normal_bits; /* fraction bits of the normalized row */
  int32_t output_shift;
} etx_layer_norm_params;

void etx_layer_norm_s8(const etx_layer_norm_params *p, const int8_t *x, const int16_t *gamma,
                       const int32_t *beta, int8_t *y);
/* The same with gamma and beta packed by edgetx/plan/packing; scratch holds a copy of them, if there is to be one. */
void etx_layer_norm_packed_s8(const etx_layer_norm_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                              int32_t *scratch);
void etx_layer_norm_s16(const etx_layer_norm_params *p, const int16_t *x, const int16_t *gamma,
                        const int32_t *beta, int16_t *y);

/* h' = o * tanh(c'), c' = f * c + i * g, clipped at +-cell_limit; gates i, f, g, o are rows of w[4][units][inputs] x +
 * r[4][units][units] h + bias, in 16 bits of which 3 are integer bits. */
typedef struct {
  int32_t inputs;
  int32_t units;
  int32_t input_offset;
  int32_t hidden_offset;
  int32_t cell_limit;
  int32_t cell_bits; /* integer bits of c */
  int32_t mantissa;  /* products of two numbers without integer bits to h' */
  int32_t shift;
  int32_t output_offset;
} etx_lstm_cell_params;

void etx_lstm_cell_s8(const etx_lstm_cell_params *p, const int8_t *x, const int8_t *h, const int16_t *c,
                      const int8_t *w, const int8_t *r, const int32_t *bias, const int32_t *x_mantissas,
                      const int32_t *x_shifts, const int32_t *h_mantissas, const int32_t *h_shifts,
                      int8_t *y, int16_t *cell);

/* m[t] = (a m[t-1] + b (u[t] + input_offset)) / 2^shifts, rounded to nearest with ties upwards and saturated;
 * a[order][order], before is m[-1], after the last m. */
typedef struct {
  int32_t steps;
  int32_t order;
  int32_t input_offset;
} etx_lmu_params;

void etx_lmu_s8(const etx_lmu_params *p, const int8_t *u, const int16_t *before, const int16_t *a,
                const int32_t *b, const int32_t *shifts, int16_t *m, int16_t *after);
void etx_lmu_s16(const etx_lmu_params *p, const int16_t *u, const int16_t *before, const int16_t *a,
                 const int32_t *b, const int32_t *shifts, int16_t *m, int16_t *after);

/* Leaky integrate-and-fire neurons with hard reset: v += (x - v) * leak / 2^14, x = ((x[steps][channels] +
 * input_offset) * gain + shift) / 2^gain_bits, both to nearest with ties upwards, x within +-current_max, v at least
 * -2^15; where v reaches the threshold, s is 64 and v becomes 0. */
typedef struct {
  int32_t steps;
  int32_t channels;
  int32_t input_offset;
  int32_t gain_bits;
  int32_t leak;
  int32_t current_max;
  int32_t threshold;
} etx_lif_params;

void etx_lif_s8(const etx_lif_params *p, const int8_t *x, const int32_t *gain, const int32_t *shift,
                const int16_t *before, int8_t *s, int16_t *after);
void etx_lif_s16(const etx_lif_params *p, const int16_t *x, const int32_t *gain, const int32_t *shift,
                 const int16_t *before, int8_t *s, int16_t *after);

/* s[t] = decay[t] s[t-1] / 2^15 + (x[t] + input_offset) * drive / 2^15, rounded once to nearest with ties upwards and
 * saturated; x[steps][size], decay[steps][size / repeats]. */
typedef struct {
  int32_t steps;
  int32_t size;
  int32_t repeats;
  int32_t input_offset;
  int32_t drive;
} etx_linear_recurrence_params;

void etx_linear_recurrence_s8(const etx_linear_recurrence_params *p, const int16_t *decay, const int8_t *x,
                              const int16_t *before, int16_t *s, int16_t *after);
void etx_linear_recurrence_s16(const etx_linear_recurrence_params *p, const int16_t *decay, const int16_t *x,
                               const int16_t *before, int16_t *s, int16_t *after);

/* y[rows][outputs] = requantize(x . w + bias) for x of spikes, 0 or 64; row r begins at x + r * step. For eight outputs
 * each, packed by edgetx/plan/events.py: bias, mantissa, rounding and shift of every one, then the columns of the weight,
 * four outputs in a word, with 128 added. scratch holds 2 bytes an input. */
typedef struct {
  int32_t rows;
  int32_t step;
  int32_t inputs;
  int32_t outputs;
  int32_t low;
  int32_t high;
} etx_event_matmul_params;

void etx_event_matmul_s8(const etx_event_matmul_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                         int32_t *scratch);

/* Softmax attention by rows; q, k, v and y are [length][heads * head_size]. scratch holds one row of scores.
 * Query i sees the keys from i + first - look_back to i + first + look_ahead.
 */
typedef struct {
  int32_t query_length;
  int32_t key_length;
  int32_t heads;
  int32_t head_size;
  int32_t look_back;
  int32_t look_ahead;
  int32_t first;
  int32_t difference_max; /* differences from the row's maximum beyond this weigh nothing */
  int32_t score_mantissa; /* differences to Q16 powers of two */
  int32_t score_shift;
  int32_t weight_shift;    /* keeps sums over long rows within 32 bits */
  int32_t output_mantissa; /* scale(v) / scale(y) */
  int32_t output_shift;
  int32_t output_offset;
} etx_attention_params;

void etx_attention_s8(const etx_attention_params *p, const int8_t *q, const int8_t *k, const int8_t *v,
                      int8_t *y, int32_t *scratch);

/* The same for two rows of queries at a time, which see all keys. scratch holds both, their scores, and values of pairs
 * of keys side by side: the first columns of a head, copied once, then four of the others at a time.
 */
typedef struct {
  int32_t query_length;
  int32_t key_length;
  int32_t heads;
  int32_t head_size;
  int32_t difference_max;
  int32_t score_mantissa;
  int32_t score_shift;
  int32_t weight_shift;
  int32_t output_mantissa;
  int32_t output_shift;
  int32_t output_offset;
  int32_t copied_columns; /* a multiple of four, or all */
} etx_attention_pairs_params;

void etx_attention_pairs_s8(const etx_attention_pairs_params *p, const int8_t *q, const int8_t *k, const int8_t *v,
                            int8_t *y, int32_t *scratch);

/* The same bytes elsewhere. */
typedef struct {
  int32_t size;
} etx_copy_params;

void etx_copy_s8(const etx_copy_params *p, const void *x, void *y);

/* y[outer][size] = window[outer][added ..], then x[outer][added], all in bytes; y may be the window. */
typedef struct {
  int32_t outer;
  int32_t size;
  int32_t added;
} etx_shift_in_params;

void etx_shift_in_s8(const etx_shift_in_params *p, const void *window, const void *x, void *y);

/* y[i][j][k][l] = the `run` bytes of x that begin at first + i, j, k, l times steps, all in bytes. */
typedef struct {
  int32_t dims[4];
  int32_t steps[4];
  int32_t run;
  int32_t first;
} etx_strided_copy_params;

void etx_strided_copy_s8(const etx_strided_copy_params *p, const void *x, void *y);

/* y[outer][inner] = place of the largest, of equal ones the first, of x[outer][count][inner] */
typedef struct {
  int32_t outer;
  int32_t count;
  int32_t inner;
} etx_arg_max_params;

void etx_arg_max_s8(const etx_arg_max_params *p, const int8_t *x, int16_t *y);
void etx_arg_max_s16(const etx_arg_max_params *p, const int16_t *x, int16_t *y);

/* y[count] = the `run` bytes of table[rows] at each index, to which `wrap` is added below 0, clamped to the rows */
typedef struct {
  int32_t rows;
  int32_t run;
  int32_t count;
  int32_t wrap;
} etx_lookup_params;

void etx_lookup_s8(const etx_lookup_params *p, const void *table, const int16_t *index, void *y);

/* y[outer][count] = the `run` bytes of x[outer][size] at each index */
typedef struct {
  int32_t outer;
  int32_t size;
  int32_t count;
  int32_t run;
} etx_gather_params;

void etx_gather_s8(const etx_gather_params *p, const void *x, const int32_t *indices, void *y);

/* Operands side by side: `outer` times sizes[i] bytes of each of `count` operands; operands[0] holds the sizes, int32. */
typedef struct {
  int32_t outer;
  int32_t count;
} etx_concatenation_params;

void etx_concatenation_s8(const etx_concatenation_params *p, const void *const *operands, void *y);

/* Softmax of 16-bit rows: powers and reciprocals are tables of 513 entries over all of 16 bits. */
typedef struct {
  int32_t rows;
  int32_t width;
  int32_t mantissa;
  int32_t shift;
} etx_softmax_s16_params;

void etx_softmax_s16(const etx_softmax_s16_params *p, const int16_t *x, const int16_t *powers,
                     const int16_t *reciprocals, int16_t *y);

/* y[out_height][out_width][channels] from x[..][in_width][channels]; rows and columns hold the neighbour before, the
 * neighbour behind and the weight of that in 1/1024. */
typedef struct {
  int32_t in_width;
  int32_t channels;
  int32_t out_height;
  int32_t out_width;
} etx_resize_bilinear_params;

void etx_resize_bilinear_s8(const etx_resize_bilinear_params *p, const int8_t *x, const int32_t *rows,
                            const int32_t *columns, int8_t *y);
void etx_resize_bilinear_s16(const etx_resize_bilinear_params *p, const int16_t *x, const int32_t *rows,
                             const int32_t *columns, int16_t *y);

/* x[in_dims] at `before` in y[out_dims], `value` around it. */
typedef struct {
  int32_t in_dims[4];
  int32_t out_dims[4];
  int32_t before[4];
  int32_t value;
} etx_pad_params;

void etx_pad_s8(const etx_pad_params *p, const int8_t *x, int8_t *y);
void etx_pad_s16(const etx_pad_params *p, const int16_t *x, int16_t *y);

#endif
