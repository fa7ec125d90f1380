#define ETX_KERNEL etx_resize_bilinear_s8
#define ETX_ELEMENT int8_t
#include "etx_resize_bilinear_rows.h"
