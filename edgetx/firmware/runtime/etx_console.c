#include "etx_console.h"

#include "etx_board.h"
#include "etx_register.h"
#include "etx_semihosting.h"

#if defined(ETX_CONSOLE_CMSDK_UART)
/* CMSDK UART of Arm's FPGA images. */
enum {
  UART_DATA = 0x00,
  UART_STATE = 0x04,
  UART_CTRL = 0x08,
  UART_BAUDDIV = 0x10,
  UART_STATE_TX_FULL = 1,
  UART_STATE_RX_FULL = 2,
  UART_CTRL_BOTH_ENABLE = 3,
  UART_BAUDDIV_MIN = 16
};

void etx_console_init(void) {
  *etx_register(ETX_CONSOLE_CMSDK_UART + UART_BAUDDIV) = UART_BAUDDIV_MIN;
  *etx_register(ETX_CONSOLE_CMSDK_UART + UART_CTRL) = UART_CTRL_BOTH_ENABLE;
}

static void write_byte(uint8_t byte) {
  while ((*etx_register(ETX_CONSOLE_CMSDK_UART + UART_STATE) & UART_STATE_TX_FULL) != 0) {
  }
  *etx_register(ETX_CONSOLE_CMSDK_UART + UART_DATA) = byte;
}

int etx_console_read(void) {
  while ((*etx_register(ETX_CONSOLE_CMSDK_UART + UART_STATE) & UART_STATE_RX_FULL) == 0) {
  }
  return (int)(*etx_register(ETX_CONSOLE_CMSDK_UART + UART_DATA) & 0xFFu);
}
#elif defined(ETX_CONSOLE_NRF_UART)
/* UART of Nordic's nRF51 and nRF52, without DMA. */
enum {
  TASKS_STARTRX = 0x000,
  TASKS_STARTTX = 0x008,
  EVENTS_RXDRDY = 0x108,
  EVENTS_TXDRDY = 0x11C,
  UART_ENABLE = 0x500,
  UART_PSELTXD = 0x50C,
  UART_PSELRXD = 0x514,
  UART_RXD = 0x518,
  UART_TXD = 0x51C,
  UART_BAUDRATE = 0x524,
  UART_ENABLED = 4,
  BAUD_115200 = 0x01D7E000
};

void etx_console_init(void) {
  *etx_register(ETX_CONSOLE_NRF_UART + UART_PSELTXD) = ETX_CONSOLE_TX_PIN;
  *etx_register(ETX_CONSOLE_NRF_UART + UART_PSELRXD) = ETX_CONSOLE_RX_PIN;
  *etx_register(ETX_CONSOLE_NRF_UART + UART_BAUDRATE) = BAUD_115200;
  *etx_register(ETX_CONSOLE_NRF_UART + UART_ENABLE) = UART_ENABLED;
  *etx_register(ETX_CONSOLE_NRF_UART + TASKS_STARTRX) = 1;
  *etx_register(ETX_CONSOLE_NRF_UART + TASKS_STARTTX) = 1;
}

static void write_byte(uint8_t byte) {
  *etx_register(ETX_CONSOLE_NRF_UART + EVENTS_TXDRDY) = 0;
  *etx_register(ETX_CONSOLE_NRF_UART + UART_TXD) = byte;
  while (*etx_register(ETX_CONSOLE_NRF_UART + EVENTS_TXDRDY) == 0) {
  }
}

int etx_console_read(void) {
  while (*etx_register(ETX_CONSOLE_NRF_UART + EVENTS_RXDRDY) == 0) {
  }
  *etx_register(ETX_CONSOLE_NRF_UART + EVENTS_RXDRDY) = 0;
  return (int)(*etx_register(ETX_CONSOLE_NRF_UART + UART_RXD) & 0xFFu);
}
#else
/* Text and bytes go through whoever debugs the core; nobody there is the end of the input. A call takes milliseconds on
 * a probe, and so brings as many bytes as there are. */
enum { CHUNK = 64 };
__attribute__((section(".bss.service"))) static uint8_t chunk[CHUNK];
static uintptr_t input, output;

static uintptr_t opened(uintptr_t *handle, uintptr_t mode) {
  static const char name[] = ":tt";
  if (*handle == 0) {
    const uintptr_t parameters[3] = {(uintptr_t)name, mode, sizeof name - 1};
    *handle = etx_semihosting_call(ETX_SYS_OPEN, (uintptr_t)parameters);
  }
  return *handle;
}

void etx_console_init(void) {}

void etx_console_write(const char *text) { etx_semihosting_call(ETX_SYS_WRITE0, (uintptr_t)text); }

void etx_console_write_bytes(const uint8_t *bytes, size_t size) {
  const uintptr_t parameters[3] = {opened(&output, ETX_OPEN_WRITE_BINARY), (uintptr_t)bytes, size};
  etx_semihosting_call(ETX_SYS_WRITE, (uintptr_t)parameters);
}

int etx_console_read(void) {
  static size_t next, size;
  if (next == size) {
    const uintptr_t parameters[3] = {opened(&input, ETX_OPEN_READ_BINARY), (uintptr_t)chunk, CHUNK};
    const uintptr_t missing = etx_semihosting_call(ETX_SYS_READ, (uintptr_t)parameters);
    if (missing >= CHUNK) {
      return -1;
    }
    next = 0;
    size = CHUNK - missing;
  }
  return chunk[next++];
}
#endif

#if defined(ETX_CONSOLE_CMSDK_UART) || defined(ETX_CONSOLE_NRF_UART)
void etx_console_write(const char *text) {
  for (; *text != '\0'; ++text) {
    write_byte((uint8_t)*text);
  }
}

void etx_console_write_bytes(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; ++i) {
    write_byte(bytes[i]);
  }
}
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
}
