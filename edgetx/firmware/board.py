"""The header that tells the start-up code about the board."""

from collections.abc import Iterator

from edgetx.targets import BitField, Target

_CONFIGURATION_AND_CONTROL = 0xE000_ED14  # the Armv7-M register whose cache bits belong to the core itself


def board_header(target: Target) -> str:
    """`etx_board.h`: console, and the flash and cache settings to write at reset."""
    lines = [f"/* Settings of {target.name}. */", "#ifndef ETX_BOARD_H", "#define ETX_BOARD_H", ""]
    lines.append(f"#define ETX_CLOCK_HZ {target.clock_hz}u")
    if target.console.kind == "cmsdk-uart":
        lines.append(f"#define ETX_CONSOLE_UART 0x{target.console.base_address:08x}u")
    if any(c.enable_field and c.enable_field.address == _CONFIGURATION_AND_CONTROL for c in target.cache):
        lines.append("#define ETX_L1_CACHES")
    lines.append("#define ETX_BOARD_SETUP() \\\n  do { \\")
    lines += [f"    {_set_field(field, value)} \\" for field, value in _settings(target)]
    return "\n".join([*lines, "  } while (0)", "", "#endif", ""])


def _settings(target: Target) -> Iterator[tuple[BitField, int]]:
    if target.flash and target.flash.wait_states_field:
        yield target.flash.wait_states_field, target.flash.wait_cycles(target.clock_hz)
    if target.flash and target.flash.prefetch_field:
        yield target.flash.prefetch_field, int(target.flash.prefetch)
    for cache in target.cache:
        if cache.enable_field:
            yield cache.enable_field, 1


def _set_field(field: BitField, value: int) -> str:
    mask = ((1 << field.width) - 1) << field.bit
    return f"etx_set_field(0x{field.address:08x}u, 0x{mask:08x}u, 0x{value << field.bit:08x}u);"
