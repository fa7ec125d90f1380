"""Small firmware images in C, built for a simulated board."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edgetx.targets import load_target

needs_toolchain = pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc")

PRELUDE = """
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
extern uint32_t stack_top[];
void reset(void);
void unused(void) { for (;;) {} }
#define WEAK(name) void name(void) __attribute__((weak));
WEAK(svc) WEAK(pend_sv) WEAK(sys_tick) WEAK(irq0) WEAK(irq1) WEAK(irq2)
__attribute__((section(".vectors"), used)) void *const vectors[] = {
    stack_top, reset, unused, unused, unused, unused, unused, 0, 0, 0, 0, svc, unused, 0, pend_sv, sys_tick,
    irq0, irq1, irq2,
};
static inline void finish(int status) {
    uint32_t block[2] = {0x20026, (uint32_t)status};
    register uint32_t r0 __asm__("r0") = 0x20;
    register void *r1 __asm__("r1") = block;
    __asm__ volatile("bkpt 0xab" : : "r"(r0), "r"(r1) : "memory");
}
volatile uint32_t log_[64], logged;
static void note(uint32_t value) { log_[logged++] = value; }
"""

LINKER = """
MEMORY { code (rx): ORIGIN = 0x%x, LENGTH = 64K  ram (rwx): ORIGIN = 0x%x, LENGTH = 16K }
SECTIONS {
  .text : { KEEP(*(.vectors)) *(.text*) *(.rodata*) } > code
  .data : { *(.data*) *(.bss*) *(COMMON) } > ram
  stack_top = ORIGIN(ram) + LENGTH(ram);
}
ENTRY(reset)
"""


def build(target_name: str, code: str, folder: Path, *flags: str, code_address: int | None = None) -> Path:
    """An ELF image of a program whose `reset` is given, at another address than the target's if that is wanted."""
    target = load_target(target_name)
    rom, ram = (target.memory[target.region_of(role)].base_address for role in ("code", "data"))
    rom = rom if code_address is None else code_address
    (folder / "main.c").write_text(PRELUDE + code)
    (folder / "link.ld").write_text(LINKER % (rom, ram))
    image = folder / "firmware.elf"
    options = [f"-mcpu={target.core}", "-mthumb", "-Os", "-ffreestanding", "-nostdlib", "-g", *flags]
    command = ["arm-none-eabi-gcc", *options, "-T", str(folder / "link.ld"), str(folder / "main.c"), "-o", str(image)]
    subprocess.run([*command, "-lgcc", "-Wl,--no-warn-rwx-segments"], check=True)
    return image
