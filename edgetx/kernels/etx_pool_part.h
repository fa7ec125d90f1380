/* The part of a pool's window that lies in the image. */
#ifndef ETX_POOL_PART_H
#define ETX_POOL_PART_H

#include "etx_kernels.h"

typedef struct {
  int32_t top, bottom, left, right;
} etx_pool_part;

static inline int32_t etx_inside(int32_t place, int32_t size) { return etx_clamp(place, 0, size); }

/* Of the window of result (row, column). */
static inline etx_pool_part etx_pool_part_of(const etx_pool_params *p, int32_t row, int32_t column) {
  const int32_t top = row * p->stride_height - p->pad_top, left = column * p->stride_width - p->pad_left;
  const etx_pool_part part = {etx_inside(top, p->in_height), etx_inside(top + p->window_height, p->in_height),
                              etx_inside(left, p->in_width), etx_inside(left + p->window_width, p->in_width)};
  return part;
}

#endif
