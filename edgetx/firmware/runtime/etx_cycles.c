#include "etx_cycles.h"

#include "etx_register.h"

enum { SYSTICK_BITS = 24, ENOUGH_READS = 64 };
static const uintptr_t SYST_CSR = 0xE000E010u, SYST_RVR = 0xE000E014u, SYST_CVR = 0xE000E018u;
static const uint32_t SYST_ENABLE_TICKINT_CPU_CLOCK = 7u, SYST_RELOAD = (1u << SYSTICK_BITS) - 1u;

static int kind = ETX_CYCLES_NONE;
static volatile uint32_t wraps;

uint32_t etx_core_id(void) { return *etx_register(0xE000ED00u); }

void SysTick_Handler(void);
void SysTick_Handler(void) { ++wraps; }

static uint32_t systick_now(void) {
  uint32_t before, count;
  do {
    before = wraps;
    count = *etx_register(SYST_CVR);
  } while (before != wraps);
  return (before << SYSTICK_BITS) + SYST_RELOAD - count;
}

/* Whether a register changes while it is read. */
static int is_counting(uintptr_t address) {
  const uint32_t first = *etx_register(address);
  for (int i = 0; i < ENOUGH_READS; ++i) {
    if (*etx_register(address) != first) {
      return 1;
    }
  }
  return 0;
}

#if __ARM_ARCH > 6
static const uintptr_t DWT_CYCCNT = 0xE0001004u;

static int has_dwt(void) {
  const uintptr_t demcr = 0xE000EDFCu, dwt_ctrl = 0xE0001000u;
  const uint32_t trcena = 1u << 24, cyccntena = 1u;
  *etx_register(demcr) |= trcena;
  *etx_register(dwt_ctrl) |= cyccntena;
  return is_counting(DWT_CYCCNT);
}

static uint32_t dwt_now(void) { return *etx_register(DWT_CYCCNT); }
#else
static int has_dwt(void) { return 0; }

static uint32_t dwt_now(void) { return 0; }
#endif

int etx_cycles_start(void) {
  if (has_dwt()) {
    return kind = ETX_CYCLES_DWT;
  }
  *etx_register(SYST_RVR) = SYST_RELOAD;
  *etx_register(SYST_CVR) = 0;
  *etx_register(SYST_CSR) = SYST_ENABLE_TICKINT_CPU_CLOCK;
  return kind = is_counting(SYST_CVR) ? ETX_CYCLES_SYSTICK : ETX_CYCLES_NONE;
}

uint32_t etx_cycles_now(void) { return kind == ETX_CYCLES_DWT ? dwt_now() : systick_now(); }
