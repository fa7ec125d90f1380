#define ETX_KERNEL etx_arg_max_s16
#define ETX_ELEMENT int16_t
#include "etx_arg_max_blocks.h"
