/* The body of resize_bilinear_s8.c and resize_bilinear_s16.c, which define ETX_KERNEL and ETX_ELEMENT. */
#include "etx_kernels.h"

enum { UNIT = 1024 };

/* The mean of four neighbours of one channel; weights of rows and columns in 1/UNIT. */
static int32_t interpolated(const ETX_ELEMENT *above, const ETX_ELEMENT *below, const int32_t *row,
                            const int32_t *column, int32_t channels) {
  const int32_t left = column[0] * channels;
  const int32_t right = column[1] * channels;
  const int64_t top = (int64_t)above[left] * (UNIT - column[2]) + (int64_t)above[right] * column[2];
  const int64_t bottom = (int64_t)below[left] * (UNIT - column[2]) + (int64_t)below[right] * column[2];
  const int64_t sum = top * (UNIT - row[2]) + bottom * row[2];
  const int64_t half = (int64_t)UNIT * UNIT / 2;
  return (int32_t)((sum + (sum > 0 ? half : -half)) / ((int64_t)UNIT * UNIT));
}

void ETX_KERNEL(const etx_resize_bilinear_params *p, const ETX_ELEMENT *x, const int32_t *rows,
                const int32_t *columns, ETX_ELEMENT *y) {
  for (int32_t i = 0; i < p->out_height; ++i) {
    const int32_t *row = rows + 3 * i;
    const ETX_ELEMENT *above = x + row[0] * p->in_width * p->channels;
    const ETX_ELEMENT *below = x + row[1] * p->in_width * p->channels;
    for (int32_t j = 0; j < p->out_width; ++j) {
      for (int32_t c = 0; c < p->channels; ++c) {
        *y = (ETX_ELEMENT)interpolated(above + c, below + c, row, columns + 3 * j, p->channels);
        ++y;
      }
    }
  }
}
