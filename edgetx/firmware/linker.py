"""Linker scripts from a target's memory map."""

from string import Template

from edgetx.targets import Target

_SCRIPT = Template("""\
/* Memory map of $name. */
ENTRY(Reset_Handler)

MEMORY
{
$regions
}

SECTIONS
{
  .boot :
  {
    KEEP(*(.boot2))
  } > $code

  .vectors :
  {
    KEEP(*(.vectors))
    KEEP(*(.image_def))
  } > $code

  .service : ALIGN(8)
  {
    etx_text_start = .;
    *etx_service.o(.text .text.* .rodata .rodata.*)
    *etx_cycles.o(.text .text.* .rodata .rodata.*)
  } > $code

  .text : ALIGN(8)
  {
    *(.text .text.*)
    etx_text_end = .;
  } > $code

  .rodata : ALIGN(8)
  {
    *(.rodata .rodata.*)
  } > $weights

  .golden : ALIGN(8)
  {
    *(.golden)
  } > $weights

  .data : ALIGN(8)
  {
    etx_data_start = .;
    *(.data .data.*)
    . = ALIGN(4);
    etx_data_end = .;
  } > $data AT> $code
  etx_data_load = LOADADDR(.data);

  .arena (NOLOAD) : ALIGN(16)
  {
    etx_arena_start = .;
    *(.bss.arena)
    . = ALIGN(4);
    etx_arena_end = .;
  } > $arena

  .state (NOLOAD) : ALIGN(16)
  {
    etx_state_start = .;
    *(.bss.state_*)
    . = ALIGN(4);
    etx_state_end = .;
  } > $state

  .service_data (NOLOAD) : ALIGN(8)
  {
    etx_bss_start = .;
    *etx_service.o(.bss .bss.*)
    *etx_cycles.o(.bss .bss.*)
    *(.bss.service)
    . = ALIGN(4);
  } > $data

  .bss (NOLOAD) : ALIGN(8)
  {
    *(.bss .bss.* COMMON)
    . = ALIGN(4);
    etx_bss_end = .;
  } > $data

  .stack (NOLOAD) : ALIGN(8)
  {
    . += $stack_bytes;
    . = ALIGN(8);
    etx_stack_top = .;
  } > $stack

  /* Nothing unwinds the stack; debug information of the compiler's library names its build folders. */
  /DISCARD/ :
  {
    *(.ARM.exidx .ARM.exidx.* .ARM.extab .ARM.extab.*)
    *libgcc.a:*(.debug_*)
    *libcompiler_rt.a:*(.debug_*)
  }
}
""")


def linker_script(target: Target, stack_bytes: int) -> str:
    """The script that places code, weights and memory in the regions with these roles.

    Args:
        target: A microcontroller target.
        stack_bytes: Size of the stack.
    """
    regions = "\n".join(
        f"  {name} : ORIGIN = 0x{region.base_address:08x}, LENGTH = {region.usable_bytes}"
        for name, region in target.memory.items()
    )
    roles = {role: target.region_of(role) for role in ("code", "weights", "data", "arena", "state", "stack")}
    return _SCRIPT.substitute(name=target.name, regions=regions, stack_bytes=stack_bytes, **roles)
