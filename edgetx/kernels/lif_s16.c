#define ETX_KERNEL etx_lif_s16
#define ETX_INPUT int16_t
#include "etx_lif_steps.h"
