/* Text out of the firmware, and the end of the program. */
#ifndef ETX_CONSOLE_H
#define ETX_CONSOLE_H

#include <stdint.h>

void etx_console_init(void);
void etx_console_write(const char *text);
void etx_console_write_decimal(uint32_t value);
void etx_console_write_hex(uint32_t value);

/* Ends the program through semihosting: status 0 is success. */
_Noreturn void etx_exit(int status);

#endif
