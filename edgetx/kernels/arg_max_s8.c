#define ETX_KERNEL etx_arg_max_s8
#define ETX_ELEMENT int8_t
#include "etx_arg_max_blocks.h"
