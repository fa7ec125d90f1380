#define ETX_KERNEL etx_lmu_s8
#define ETX_INPUT int8_t
#include "etx_lmu_steps.h"
