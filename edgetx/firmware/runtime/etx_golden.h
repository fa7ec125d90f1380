/* Inputs that are part of the image, and what the model must make of them. */
#ifndef ETX_GOLDEN_H
#define ETX_GOLDEN_H

#include <stdint.h>

typedef struct {
  const unsigned char *inputs; /* all inputs of the model, one after the other */
  uint32_t outputs_crc32;      /* over all outputs, one after the other */
} etx_golden_case;

extern const etx_golden_case etx_golden_cases[];
extern const uint32_t etx_golden_case_count;

#endif
