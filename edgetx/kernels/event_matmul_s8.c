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
    __builtin_memcpy(&word, __builtin_assume_aligned(x + i, 4), sizeof word);
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

static inline void sum_columns(const int32_t *columns, const uint16_t *places, int32_t count, int32_t *sums) {
  etx_sum_columns(columns, places, count < CHUNK ? count : CHUNK, sums);
  for (int32_t first = CHUNK; first < count; first += CHUNK) {
    int32_t more[OUTPUTS];
    etx_sum_columns(columns, places + first, count - first < CHUNK ? count - first : CHUNK, more);
    for (int32_t i = 0; i < OUTPUTS; ++i) {
      sums[i] += more[i];
    }
  }
}

void etx_event_matmul_s8(const etx_event_matmul_params *p, const int8_t *x, const int32_t *packed, int8_t *y,
                         int32_t *scratch) {
  uint16_t *places = (uint16_t *)(void *)scratch;
  const etx_event_limits limits = etx_event_limits_of(p->low, p->high);
  for (int32_t row = 0; row < p->rows; ++row) {
    const int32_t count = find_spikes(x + row * p->step, p->inputs, places);
    const int32_t offset = -count * (WEIGHT_OFFSET << SPIKE_BITS);
    const int32_t *results = packed;
    for (int32_t left = p->outputs; left > 0; left -= OUTPUTS) {
      const int32_t *columns = results + 4 * OUTPUTS;
      int32_t sums[OUTPUTS];
      sum_columns(columns, places, count, sums);
      const int32_t wanted = left < OUTPUTS ? left : OUTPUTS;
      etx_event_results(sums, offset, results, &limits, wanted, y);
      y += wanted;
      results = columns + 2 * p->inputs;
    }
  }
}
