#define ETX_KERNEL etx_resize_bilinear_s16
#define ETX_ELEMENT int16_t
#include "etx_resize_bilinear_rows.h"
