/* Inputs that are part of the image, and what the model and its front end must make of them. */
#ifndef ETX_GOLDEN_H
#define ETX_GOLDEN_H

#include <stdint.h>

typedef struct {
  const unsigned char *inputs; /* all inputs of the model, one after the other */
  uint32_t outputs_crc32;      /* over all outputs, one after the other */
} etx_golden_case;

typedef struct {
  const int16_t *samples; /* the start of a clip */
  uint32_t rows;          /* rows of features that it gives */
  uint32_t rows_crc32;
} etx_golden_audio;

extern const etx_golden_case etx_golden_cases[];
extern const uint32_t etx_golden_case_count;
extern const etx_golden_audio etx_golden_clip;

#endif
