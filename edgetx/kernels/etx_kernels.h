/* Prototypes and parameters of all kernels.
 *
 * Every kernel is called as etx_<op>_<dtype>(&params, operands..., results...[, scratch]). Tensors are dense, channels
 * last. Folders beside this one hold faster kernels for particular cores under the same names and prototypes.
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
                             const int64_t *bias, const int32_t *mantissas, const int32_t *shifts, int16_t *y);

/* y[i] = table[x[i] + 128] */
typedef struct {
  int32_t size;
} etx_lut_params;

void etx_lut_s8(const etx_lut_params *p, const int8_t *x, const int8_t *table, int8_t *y);

/* y = gamma * (x - mean) / sqrt(variance + epsilon) + beta over rows of `width`; without `center`, by the root mean
 * square. epsilon is in units of width^2 * scale(x)^2. */
typedef struct {
  int32_t rows;
  int32_t width;
  int32_t center;
  int32_t input_offset;
  int32_t output_offset;
  int32_t epsilon;
  int32_t root_bits;   /* bits of the reciprocal root, so that products stay within 32 bits */
  int32_t normal_bits; /* fraction bits of the normalized row */
  int32_t output_shift;
} etx_layer_norm_params;

void etx_layer_norm_s8(const etx_layer_norm_params *p, const int8_t *x, const int16_t *gamma, const int32_t *beta,
                       int8_t *y);

/* Softmax attention by rows; q, k, v and y are [length][heads * head_size]. scratch holds one row of scores. */
typedef struct {
  int32_t query_length;
  int32_t key_length;
  int32_t heads;
  int32_t head_size;
  int32_t difference_max;  /* differences from the row's maximum beyond this weigh nothing */
  int32_t score_mantissa;  /* differences to Q16 powers of two */
  int32_t score_shift;
  int32_t weight_shift;    /* keeps sums over long rows within 32 bits */
  int32_t output_mantissa; /* scale(v) / scale(y) */
  int32_t output_shift;
  int32_t output_offset;
} etx_attention_params;

void etx_attention_s8(const etx_attention_params *p, const int8_t *q, const int8_t *k, const int8_t *v, int8_t *y,
                      int32_t *scratch);

#endif
