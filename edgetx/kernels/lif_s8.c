#define ETX_KERNEL etx_lif_s8
#define ETX_INPUT int8_t
#include "etx_lif_steps.h"
