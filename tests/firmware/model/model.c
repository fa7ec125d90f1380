#include "model.h"

#include <string.h>

enum { SIZE = 16 };

static const int8_t weights[SIZE] = {1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12, 13, -14, 15, -16};
static int8_t arena[2 * SIZE];
static int8_t state_0[SIZE];
static int32_t divisor = 7;

void edgetx_reset(void) { memset(state_0, 0, sizeof state_0); }

void *edgetx_input(int32_t index) { return &arena[index * SIZE]; }
size_t edgetx_input_bytes(int32_t index) { return index == 0 ? SIZE : 0; }
const void *edgetx_output(int32_t index) { return &arena[SIZE + index]; }
size_t edgetx_output_bytes(int32_t index) { return index == 0 ? SIZE : 0; }

static void layer(void) {
  for (int32_t i = 0; i < SIZE; ++i) {
    const int64_t product = (int64_t)(arena[i] - state_0[i]) * weights[i] * 3;
    arena[SIZE + i] = (int8_t)(product / divisor);
  }
  divisor = divisor == 7 ? 5 : 7;
  memcpy(state_0, arena, sizeof state_0);
}

const edgetx_layer edgetx_layers[EDGETX_LAYERS] = {layer};

void edgetx_keep(void) {}

void edgetx_invoke(void) { layer(); }
