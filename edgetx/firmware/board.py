"""The header that tells the start-up code about the board."""

from collections.abc import Iterator

from edgetx.targets import BitField, Console, Target

_CONFIGURATION_AND_CONTROL = 0xE000_ED14  # the Armv7-M register whose cache bits belong to the core itself


def board_header(target: Target, image_id: int) -> str:
    """`etx_board.h`: console, and the flash and cache settings to write at reset.

    Args:
        target: The board.
        image_id: What the image answers when a host asks which model it holds.
    """
    lines = [f"/* Settings of {target.name}. */", "#ifndef ETX_BOARD_H", "#define ETX_BOARD_H", ""]
    lines.append(f"#define ETX_CLOCK_HZ {target.clock_hz}u")
    lines.append(f"#define ETX_IMAGE_ID 0x{image_id:08x}u")
    if target.boot:
        lines.append(f"#define ETX_BOOT_{target.boot.upper()}")
    lines += _console(target.console)
    if any(c.enable_field and c.enable_field.address == _CONFIGURATION_AND_CONTROL for c in target.cache):
        lines.append("#define ETX_L1_CACHES")
    lines.append("#define ETX_BOARD_SETUP() \\\n  do { \\")
    lines += [f"    {_set_field(field, value)} \\" for field, value in _settings(target)]
    return "\n".join([*lines, "  } while (0)", "", "#endif", ""])


def _console(console: Console) -> Iterator[str]:
    if console.base_address is not None:
        yield f"#define ETX_CONSOLE_{console.kind.upper().replace('-', '_')} 0x{console.base_address:08x}u"
    for name in ("tx_pin", "rx_pin"):
        if (pin := getattr(console, name)) is not None:
            yield f"#define ETX_CONSOLE_{name.upper()} {pin}u"


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
