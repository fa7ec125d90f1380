/* Vector table and reset: from power-on to main(). */
#include <stdint.h>

#include "etx_board.h"
#include "etx_console.h"
#include "etx_register.h"
#include "etx_service.h"

int main(void);
_Noreturn void Reset_Handler(void);
void Default_Handler(void);

#define WEAK_HANDLER __attribute__((weak, alias("Default_Handler")))
WEAK_HANDLER void NMI_Handler(void);
void HardFault_Handler(void);
WEAK_HANDLER void MemManage_Handler(void);
WEAK_HANDLER void BusFault_Handler(void);
WEAK_HANDLER void UsageFault_Handler(void);
WEAK_HANDLER void SecureFault_Handler(void);
WEAK_HANDLER void SVC_Handler(void);
WEAK_HANDLER void DebugMon_Handler(void);
WEAK_HANDLER void PendSV_Handler(void);
WEAK_HANDLER void SysTick_Handler(void);

/* Set by the linker script. */
extern uint32_t etx_stack_top[];
extern const uint32_t etx_text_start[], etx_text_end[];
extern const uint32_t etx_data_load[];
extern uint32_t etx_data_start[], etx_data_end[];
extern uint32_t etx_bss_start[], etx_bss_end[];
extern uint32_t etx_arena_start[], etx_arena_end[];
extern uint32_t etx_state_start[], etx_state_end[];

typedef union {
  uint32_t *stack;
  void (*handler)(void);
} etx_vector;

__attribute__((section(".vectors"), used)) static const etx_vector vectors[16] = {
    {.stack = etx_stack_top},
    {.handler = Reset_Handler},
    {.handler = NMI_Handler},
    {.handler = HardFault_Handler},
    {.handler = MemManage_Handler},
    {.handler = BusFault_Handler},
    {.handler = UsageFault_Handler},
    {.handler = SecureFault_Handler},
    {.handler = 0},
    {.handler = 0},
    {.handler = 0},
    {.handler = SVC_Handler},
    {.handler = DebugMon_Handler},
    {.handler = 0},
    {.handler = PendSV_Handler},
    {.handler = SysTick_Handler},
};

static void enable_fpu(void) {
#if defined(__ARM_FP)
  const uintptr_t cpacr = 0xE000ED88u;
  const uint32_t full_access_to_cp10_and_cp11 = 0xFu << 20;
  *etx_register(cpacr) |= full_access_to_cp10_and_cp11;
  etx_barrier();
#endif
}

/* Cortex-M7 comes out of reset with undefined cache contents; called before the caches are turned on. */
static void invalidate_caches(void) {
#if defined(ETX_L1_CACHES)
  const uintptr_t ccsidr = 0xE000ED80u, csselr = 0xE000ED84u, iciallu = 0xE000EF50u, dcisw = 0xE000EF60u;
  *etx_register(csselr) = 0;
  etx_barrier();
  const uint32_t geometry = *etx_register(ccsidr);
  for (uint32_t set = 0; set <= ((geometry >> 13) & 0x7FFFu); ++set) {
    for (uint32_t way = 0; way <= ((geometry >> 3) & 0x3FFu); ++way) {
      *etx_register(dcisw) = (way << 30) | (set << 5);
    }
  }
  *etx_register(iciallu) = 0;
  etx_barrier();
#endif
}

static void fill_with_zero(uint32_t *word, const uint32_t *end) {
  while (word != end) {
    *word++ = 0;
  }
}

static void initialize_memory(void) {
  const uint32_t *load = etx_data_load;
  for (uint32_t *word = etx_data_start; word != etx_data_end; ++word) {
    *word = *load++;
  }
  fill_with_zero(etx_bss_start, etx_bss_end);
  fill_with_zero(etx_arena_start, etx_arena_end);
  fill_with_zero(etx_state_start, etx_state_end);
}

void Reset_Handler(void) {
  enable_fpu();
  invalidate_caches();
  ETX_BOARD_SETUP();
  etx_barrier();
  initialize_memory();
  etx_console_init();
  etx_exit(main());
  etx_serve();
  for (;;) {
  }
}

void Default_Handler(void) {
  etx_console_write("FAULT\n");
  etx_exit(1);
  for (;;) {
  }
}

/* A semihosting call that no debugger takes does nothing: execution goes on behind it. Other faults are the end. */
__attribute__((used)) static void step_over_semihosting(uint32_t *frame) {
  const uint16_t breakpoint = 0xBEABu;
  enum { FRAME_R0 = 0, FRAME_PC = 6 };
  const uint32_t pc = frame[FRAME_PC];
  if (pc < (uint32_t)(uintptr_t)etx_text_start || pc >= (uint32_t)(uintptr_t)etx_text_end ||
      *(const uint16_t *)(uintptr_t)pc != breakpoint) {
    Default_Handler();
  }
  frame[FRAME_R0] = UINT32_MAX;
  frame[FRAME_PC] = pc + sizeof breakpoint;
}

__attribute__((naked)) void HardFault_Handler(void) {
  __asm__ volatile(
      "mrs r0, msp\n\t"
      "push {r4, lr}\n\t"
      "bl step_over_semihosting\n\t"
      "pop {r4, pc}");
}
