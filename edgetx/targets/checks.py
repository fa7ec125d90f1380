"""What must be true of every target, one named check each. A check raises TargetError."""

from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path

from edgetx.config import did_you_mean
from edgetx.errors import TargetError
from edgetx.targets.cores import CORES
from edgetx.targets.schema import Target

ROLES = ("code", "weights", "data", "arena", "state", "stack")
KINDS = ("mcu", "phone", "framework")
BOOTS = ("", "rp2040", "rp2350")
CONSOLES = ("semihosting", "cmsdk-uart", "nrf-uart")
SOURCE_KINDS = ("datasheet", "measured", "estimated")
_KERNELS = Path(__file__).parent.parent / "kernels"


def check_target(target: Target, data: Mapping[str, object]) -> None:
    """Run every check on a target and on the table it was parsed from."""
    for check in CHECKS:
        check(target)
    check_every_number_has_a_source(target, data)


def check_words_are_known(target: Target) -> None:
    """Kind, core, features, boot, console, roles and source kinds are words this version knows."""
    _one_of(target, "kind", target.kind, KINDS)
    _one_of(target, "core", target.core, CORES)
    for feature in target.features:
        _one_of(target, "features", feature, target.core_info.features)
    _one_of(target, "boot", target.boot, BOOTS)
    _one_of(target, "console.kind", target.console.kind, CONSOLES)
    for name, region in target.memory.items():
        for role in region.roles:
            _one_of(target, f"memory.{name}.roles", role, ROLES)
    for source in target.source:
        _one_of(target, "source.kind", source.kind, SOURCE_KINDS)


def check_core_suits_kind(target: Target) -> None:
    """A microcontroller board has an M-profile core, others do not."""
    if target.core_info.is_microcontroller != (target.kind == "mcu"):
        raise _problem(target, "core", f"a target of kind '{target.kind}' cannot have a {target.core}")


def check_regions_do_not_overlap(target: Target) -> None:
    """No two memory regions share an address, and none is empty."""
    ordered = sorted(target.memory.items(), key=lambda item: item[1].base_address)
    for name, region in ordered:
        if region.usable_bytes <= 0 or region.base_address < 0:
            raise _problem(target, f"memory.{name}", "region has no usable bytes")
        if region.bank_bytes and sum(region.bank_bytes) != region.size_bytes:
            raise _problem(target, f"memory.{name}.bank_bytes", "banks do not add up to size_bytes")
    for (name, region), (next_name, following) in pairwise(ordered):
        if region.end_address > following.base_address:
            raise _problem(target, f"memory.{name}", f"overlaps '{next_name}'")


def check_roles_are_placed_once(target: Target) -> None:
    """On a microcontroller every role belongs to exactly one region."""
    if target.kind != "mcu":
        return
    placed = [role for region in target.memory.values() for role in region.roles]
    for role in ROLES:
        if placed.count(role) != 1:
            what = f"role '{role}' is given to {placed.count(role)} regions instead of one"
            raise _problem(target, "memory", what)


def check_timing_names_regions(target: Target) -> None:
    """Flash timing and caches speak of regions that exist; cache sizes are whole numbers of sets."""
    if target.flash:
        _one_of(target, "flash.region", target.flash.region, target.memory)
    for cache in target.cache:
        for region in cache.regions:
            _one_of(target, "cache.regions", region, target.memory)
        _one_of(target, "cache.replacement", cache.replacement, ("lru", "random"))
        for content in cache.holds:
            _one_of(target, "cache.holds", content, ("instructions", "data"))
        if cache.line_bytes <= 0 or cache.ways <= 0 or cache.size_bytes % (cache.line_bytes * cache.ways):
            raise _problem(target, "cache", "size_bytes is not a whole number of sets")


def check_clock_is_supported(target: Target) -> None:
    """The clock is positive and the flash has wait states for it."""
    if target.clock_hz <= 0:
        raise _problem(target, "clock_hz", f"expected a positive clock, got {target.clock_hz}")
    if target.flash:
        rows = target.flash.wait_states
        if any(a.max_hz >= b.max_hz for a, b in pairwise(rows)):
            raise _problem(target, "flash.wait_states", "rows must be in ascending order of max_hz")
        target.flash.wait_cycles(target.clock_hz)


def check_console_is_complete(target: Target) -> None:
    """A UART has a base address."""
    if target.console.kind != "semihosting" and target.console.base_address is None:
        raise _problem(target, "console", "missing key 'base_address'")


def check_kernel_folders_exist(target: Target) -> None:
    """Kernel folders ship with edgetx, and the portable ones come last."""
    known = {"portable"} | {p.name for p in _KERNELS.glob("*/")}
    for folder in target.kernels:
        _one_of(target, "kernels", folder, known)
    if target.kernels[-1:] != ("portable",):
        raise _problem(target, "kernels", "the last folder must be 'portable'")


def check_every_number_has_a_source(target: Target, data: Mapping[str, object]) -> None:
    """Each number of the file is matched by the fields of a [[source]]."""
    patterns = [pattern for source in target.source for pattern in source.fields]
    for key in number_keys(data):
        if not any(fnmatchcase(key, pattern) for pattern in patterns):
            hint = f'add a [[source]] with fields = ["{key}"], kind = "{"|".join(SOURCE_KINDS)}" and where'
            raise _problem(target, key, "no source is given for this number", hint)


def number_keys(value: object, prefix: str = "") -> Iterator[str]:
    """Dotted keys of all numbers in a table; rows of an array share one key."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from number_keys(item, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list):
        for item in value:
            yield from number_keys(item, prefix)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield prefix


CHECKS: tuple[Callable[[Target], None], ...] = (
    check_words_are_known,
    check_core_suits_kind,
    check_regions_do_not_overlap,
    check_roles_are_placed_once,
    check_timing_names_regions,
    check_clock_is_supported,
    check_console_is_complete,
    check_kernel_folders_exist,
)


def _one_of(target: Target, key: str, word: str, known: Collection[str]) -> None:
    if word not in known:
        raise _problem(target, key, f"'{word}' is not known here", did_you_mean(word, known))


def _problem(target: Target, key: str, what: str, hint: str = "") -> TargetError:
    return TargetError(what, where=f"{target.name}.{key}", hint=hint)
