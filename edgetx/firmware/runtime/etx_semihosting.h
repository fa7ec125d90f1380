/* Calls to a debugger or simulator (Arm semihosting, M profile). */
#ifndef ETX_SEMIHOSTING_H
#define ETX_SEMIHOSTING_H

#include <stdint.h>

#define ETX_SYS_OPEN 0x01u
#define ETX_SYS_WRITE0 0x04u
#define ETX_SYS_WRITE 0x05u
#define ETX_SYS_READ 0x06u
#define ETX_SYS_EXIT 0x18u
#define ETX_OPEN_READ_BINARY 1u
#define ETX_OPEN_WRITE_BINARY 5u
#define ETX_STOPPED_APPLICATION_EXIT 0x20026u
#define ETX_STOPPED_RUN_TIME_ERROR 0x20023u

static inline uintptr_t etx_semihosting_call(uintptr_t operation, uintptr_t parameter) {
  register uintptr_t r0 __asm__("r0") = operation;
  register uintptr_t r1 __asm__("r1") = parameter;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

#endif
