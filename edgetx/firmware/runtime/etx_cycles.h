/* The core's cycle counter: DWT where there is one, else SysTick. */
#ifndef ETX_CYCLES_H
#define ETX_CYCLES_H

#include <stdint.h>

enum { ETX_CYCLES_NONE = 0, ETX_CYCLES_DWT = 1, ETX_CYCLES_SYSTICK = 2 };

/* Starts it and says which it is. */
int etx_cycles_start(void);

/* The CPUID register; 0 where a program cannot read it. */
uint32_t etx_core_id(void);

/* Cycles since the start, modulo 2^32. */
uint32_t etx_cycles_now(void);

#endif
