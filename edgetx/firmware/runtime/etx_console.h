/* Text out of the firmware, bytes both ways, and the end of the program. */
#ifndef ETX_CONSOLE_H
#define ETX_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

void etx_console_init(void);
void etx_console_write(const char *text);
void etx_console_write_decimal(uint32_t value);
void etx_console_write_hex(uint32_t value);

void etx_console_write_bytes(const uint8_t *bytes, size_t size);

/* Waits for the next byte; -1 if none will ever come. */
int etx_console_read(void);

/* Ends the program through semihosting: status 0 is success. Returns if no debugger takes the call. */
void etx_exit(int status);

#endif
