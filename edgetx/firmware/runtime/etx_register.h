/* Access to hardware registers. */
#ifndef ETX_REGISTER_H
#define ETX_REGISTER_H

#include <stdint.h>

static inline volatile uint32_t *etx_register(uintptr_t address) { return (volatile uint32_t *)address; }

static inline void etx_set_field(uintptr_t address, uint32_t mask, uint32_t value) {
  *etx_register(address) = (*etx_register(address) & ~mask) | value;
}

static inline void etx_barrier(void) { __asm__ volatile("dsb\n\tisb" : : : "memory"); }

#endif
