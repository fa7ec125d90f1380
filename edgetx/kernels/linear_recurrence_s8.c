#define ETX_KERNEL etx_linear_recurrence_s8
#define ETX_INPUT int8_t
#include "etx_linear_recurrence_steps.h"
