#include "etx_console.h"

#include "etx_board.h"
#include "etx_register.h"
#include "etx_semihosting.h"

#if defined(ETX_CONSOLE_UART)
/* CMSDK UART of Arm's FPGA images. */
enum {
  UART_DATA = 0x00,
  UART_STATE = 0x04,
  UART_CTRL = 0x08,
  UART_BAUDDIV = 0x10,
  UART_STATE_TX_FULL = 1,
  UART_CTRL_TX_ENABLE = 1,
  UART_BAUDDIV_MIN = 16
};

void etx_console_init(void) {
  *etx_register(ETX_CONSOLE_UART + UART_BAUDDIV) = UART_BAUDDIV_MIN;
  *etx_register(ETX_CONSOLE_UART + UART_CTRL) = UART_CTRL_TX_ENABLE;
}

void etx_console_write(const char *text) {
  for (; *text != '\0'; ++text) {
    while ((*etx_register(ETX_CONSOLE_UART + UART_STATE) & UART_STATE_TX_FULL) != 0) {
    }
    *etx_register(ETX_CONSOLE_UART + UART_DATA) = (unsigned char)*text;
  }
}
#else
void etx_console_init(void) {}

void etx_console_write(const char *text) { etx_semihosting_call(ETX_SYS_WRITE0, (uintptr_t)text); }
#endif

void etx_console_write_decimal(uint32_t value) {
  char digits[11];
  char *first = &digits[sizeof digits - 1];
  *first = '\0';
  do {
    *--first = (char)('0' + value % 10);
    value /= 10;
  } while (value != 0);
  etx_console_write(first);
}

void etx_console_write_hex(uint32_t value) {
  char digits[9];
  for (int i = 7; i >= 0; --i) {
    digits[i] = "0123456789abcdef"[value & 15u];
    value >>= 4;
  }
  digits[8] = '\0';
  etx_console_write(digits);
}

void etx_exit(int status) {
  etx_semihosting_call(ETX_SYS_EXIT, status == 0 ? ETX_STOPPED_APPLICATION_EXIT : ETX_STOPPED_RUN_TIME_ERROR);
  for (;;) {
  }
}
