#define ETX_KERNEL etx_linear_recurrence_s16
#define ETX_INPUT int16_t
#include "etx_linear_recurrence_steps.h"
