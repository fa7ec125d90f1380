"""Every published rule of instruction timing as a snippet with its cycles, and rules that a snippet cannot show."""

from dataclasses import replace
from pathlib import Path

import pytest
from firmware import build
from rulebook import CORES, Rule, measured, rules
from snippets import cycles, needs_toolchain

from edgetx.profile import Simulator
from edgetx.targets import load_target

pytestmark = needs_toolchain
TABLE_CORES = ("cortex-m0plus", "cortex-m3", "cortex-m4")
"""Those whose timing Arm has published."""
ALL = [rule for core in CORES for rule in rules(core)]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: f"{rule.core}-{rule.name}")
def test_rule(rule: Rule) -> None:
    spent = measured(rule.core)[rule]
    if rule.is_exact:
        assert rule.expected[0] <= spent <= rule.expected[1]
    else:
        assert spent == rule.model
        assert not rule.expected[0] <= spent <= rule.expected[1]


@pytest.mark.parametrize("core", CORES)
def test_enough_rules_are_followed(core: str) -> None:
    """All that Arm has published, and nine in ten of those that others measured."""
    exact = [rule.is_exact for rule in rules(core)]
    assert sum(exact) >= 0.9 * len(exact)
    documented = [rule for rule in rules(core) if rule.kind == "documented"]
    assert bool(documented) == (core in TABLE_CORES)
    assert all(rule.is_exact for rule in documented)


@pytest.mark.parametrize("use_native", [True, False])
def test_mispredictions_cost_less_with_settled_flags(use_native: bool) -> None:
    """A loop is mispredicted twice at its start (Cortex-M7: 8 cycles each, or 6)."""
    setup = "movs r0, #20"
    late, early = (
        "add.w r1, r1, #1; " * 6 + "subs.w r0, r0, #1; nop.w",
        "subs.w r0, r0, #1; nop.w; " + "add.w r1, r1, #1; " * 6,
    )
    spent = [
        cycles("cortex-m7", f"1: {body}; bne.w 1b".replace(";", "\n"), setup, use_native=use_native)
        for body in (late, early)
    ]
    assert spent[0] - spent[1] == 2 * (8 - 6)


LOADS = """
uint32_t loads(volatile uint32_t *a, volatile uint32_t *b) {
    __asm__ volatile(".rept 20\\n ldr.w r2, [%0]\\n ldr.w r3, [%1]\\n .endr" : : "r"(a), "r"(b) : "r2", "r3");
    return 0;
}
void reset(void) { finish(0); }
"""


def test_loads_overlap_only_within_one_memory(tmp_path: Path) -> None:
    """Cortex-M4, measured by jnk0le on an STM32F407; here SRAM1 and SRAM2 of an STM32L4R5 without wait states."""
    target = replace(load_target("nucleo-l4r5zi"), flash=None, cache=())
    image = build("nucleo-l4r5zi", LOADS, tmp_path)
    spent = []
    for other in (0x2000_8000, 0x2003_8000):
        sim = Simulator(target, image)
        sim.call(sim.symbol("loads"), 0x2000_4000, other)
        spent.append(sim.cycles)
    assert spent[1] - spent[0] == 39
