#include <string.h>

#include "etx_events.h"
#include "etx_kernels.h"

enum { SPIKE_BITS = 6, WEIGHT_OFFSET = 128, OUTPUTS = 8, CHUNK = 256 };

/* Places of the spikes among `inputs`; most words hold none. */
static int32_t find_spikes(const int8_t *x, int32_t inputs, uint16_t *places) {
  int32_t count = 0;
  int32_t i = 0;
  for (; i < inputs && ((uintptr_t)(x + i) & 3u) != 0; ++i) {
    places[count] = (uint16_t)i;
    count += x[i] >> SPIKE_BITS;
  }
  for (; i + 4 <= inputs; i += 4) {
    uint32_t word;
    memcpy(&word, __builtin_assume_aligned(x + i, 4), sizeof word);
    for (int32_t j = i; word != 0; ++j) {
      places[count] = (uint16_t)j;
      count += (int32_t)(word >> SPIKE_BITS & 1u);
      word >>= 8;
    }
  }
  for (; i < inputs; ++i) {
    places[count] = (uint16_t)i;
    count += x[i] >> SPIKE_BITS;
  }
  return count;
}

void etx_event_matmul_s8(const etx_event_matmul_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                         int32_t *scratch) {
  uint16_t *places = (uint16_t *)(void *)scratch;
  for (int32_t row = 0; row < p->rows; ++row) {
    const int32_t count = find_spikes(x + row * p->step, p->inputs, places);
    const int32_t *results = packed;
    for (int32_t left = p->outputs; left > 0; left -= OUTPUTS) {
      const int32_t *columns = results + 4 * OUTPUTS;
      int32_t sums[OUTPUTS] = {0};
      for (int32_t first = 0; first < count; first += CHUNK) {
        etx_add_columns(columns, places + first, count - first < CHUNK ? count - first : CHUNK, sums);
      }
      const int32_t wanted = left < OUTPUTS ? left : OUTPUTS;
      for (int32_t i = 0; i < wanted; ++i) {
        const int32_t acc = (sums[i] - count * WEIGHT_OFFSET) * (1 << SPIKE_BITS) + results[4 * i];
        *y++ = (int8_t)etx_clamp(etx_event_result(acc, results + 4 * i + 1), p->low, p->high);
      }
      results = columns + 2 * p->inputs;
    }
  }
}
