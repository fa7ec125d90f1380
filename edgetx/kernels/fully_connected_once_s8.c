#include "etx_kernels.h"

static int32_t requantize_once(int32_t acc, int32_t mantissa, int32_t shift, int32_t offset, int32_t low,
                               int32_t high) {
  const int64_t scaled = etx_multiply_once(acc, mantissa, shift);
  const int64_t least = low - offset, most = high - offset;
  const int64_t clamped = scaled < least ? least : (scaled > most ? most : scaled);
  return (int32_t)clamped + offset;
}

#define ETX_KERNEL etx_fully_connected_once_s8
#define ETX_REQUANTIZE requantize_once
#include "etx_dense_rows.h"
