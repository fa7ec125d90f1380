/* The model as a program for Linux and Android: checks itself, or serves a host over standard input and output. */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#ifdef __ARM_FEATURE_DOTPROD
#include <sys/auxv.h>
#endif
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "etx_board.h"
#include "etx_console.h"
#include "etx_cycles.h"
#include "etx_service.h"

enum { ETX_CYCLES_PERF = 4, ETX_CYCLES_CLOCK = 3, NANOSECONDS = 1000000000 };

int etx_self_check(void);

static int counter = -1;

void etx_console_write_bytes(const uint8_t *bytes, size_t size) {
  while (size > 0) {
    const ssize_t written = write(STDOUT_FILENO, bytes, size);
    if (written <= 0) {
      _exit(1);
    }
    bytes += written;
    size -= (size_t)written;
  }
}

void etx_console_write(const char *text) { etx_console_write_bytes((const uint8_t *)text, strlen(text)); }

void etx_console_write_decimal(uint32_t value) {
  char text[11];
  snprintf(text, sizeof text, "%u", (unsigned)value);
  etx_console_write(text);
}

void etx_console_write_hex(uint32_t value) {
  char text[9];
  snprintf(text, sizeof text, "%08x", (unsigned)value);
  etx_console_write(text);
}

int etx_console_read(void) {
  uint8_t byte;
  return read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

uint32_t etx_core_id(void) { return 0; }

/* The counter of the core where the system lets programs read it; else time, at the clock the program was built for. */
int etx_cycles_start(void) {
  struct perf_event_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_HW_CPU_CYCLES;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  counter = (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
  return counter >= 0 ? ETX_CYCLES_PERF : ETX_CYCLES_CLOCK;
}

uint32_t etx_cycles_now(void) {
  uint64_t cycles;
  if (counter >= 0 && read(counter, &cycles, sizeof cycles) == sizeof cycles) {
    return (uint32_t)cycles;
  }
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const uint64_t seconds = (uint64_t)now.tv_sec, fraction = (uint64_t)now.tv_nsec;
  return (uint32_t)(seconds * ETX_CLOCK_HZ + fraction * ETX_CLOCK_HZ / NANOSECONDS);
}

/* Whether this core has the instructions that the program was compiled to. */
static int is_core_able(void) {
#ifdef __ARM_FEATURE_DOTPROD
  return (getauxval(AT_HWCAP) & (1u << 20)) != 0; /* HWCAP_ASIMDDP of Linux */
#else
  return 1;
#endif
}

int main(int count, char **arguments) {
  if (!is_core_able()) {
    etx_console_write("this core has no dot-product instructions: compile for phone-cortex-a53\n");
    return 1;
  }
  if (count == 2 && strcmp(arguments[1], "--serve") == 0) {
    etx_serve();
    return 0;
  }
  return etx_self_check();
}
