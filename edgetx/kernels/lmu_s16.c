#define ETX_KERNEL etx_lmu_s16
#define ETX_INPUT int16_t
#include "etx_lmu_steps.h"
