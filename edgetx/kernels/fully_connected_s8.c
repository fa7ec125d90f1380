#define ETX_KERNEL etx_fully_connected_s8
#define ETX_REQUANTIZE etx_requantize
#include "etx_dense_rows.h"
