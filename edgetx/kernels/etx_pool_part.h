/* The part of a pool's window that lies in the image. */
#ifndef ETX_POOL_PART_H
#define ETX_POOL_PART_H

#include "etx_kernels.h"

typedef struct {
  int32_t top, bottom, left, right;
} etx_pool_part;

/* Of the window of result (row, column). */
static inline etx_pool_part etx_pool_part_of(const etx_pool_params *p, int32_t row, int32_t column) {
  const int32_t top = row * p->stride_height - p->pad_top, left = column * p->stride_width - p->pad_left;
  const etx_pool_part part = {
      etx_clamp(top, 0, p->in_height), etx_clamp(top + p->window_height, 0, p->in_height),
      etx_clamp(left, 0, p->in_width), etx_clamp(left + p->window_width, 0, p->in_width)};
  return part;
}

#endif
