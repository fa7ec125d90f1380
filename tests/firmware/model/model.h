/* A hand-written model with the interface of generated ones: weighted differences, in 64-bit arithmetic. */
#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>

enum { EDGETX_INPUTS = 1, EDGETX_OUTPUTS = 1 };

void edgetx_reset(void);
void edgetx_invoke(void);

#define EDGETX_LAYERS 1
typedef void (*edgetx_layer)(void);
extern const edgetx_layer edgetx_layers[EDGETX_LAYERS];
void edgetx_keep(void);
void *edgetx_input(int32_t index);
size_t edgetx_input_bytes(int32_t index);
const void *edgetx_output(int32_t index);
size_t edgetx_output_bytes(int32_t index);

#endif
