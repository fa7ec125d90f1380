"""Comparing profiles, and rules about changes."""

import copy

import pytest

from edgetx.errors import ConfigError, FitError
from edgetx.profile.compare import check_rules, compare, parse_rule

BASE = {
    "target": "nucleo-l4r5zi",
    "engine": "simulate",
    "cycles": 1000,
    "layers": [{"name": "head", "cycles": 10}],
    "validation": {"mape": None},
}


def changed(**figures: object) -> dict[str, object]:
    return copy.deepcopy(BASE) | figures


def test_figures_are_paired_by_name() -> None:
    after = changed(cycles=1100, layers=[{"name": "head", "cycles": 5}])
    changes = {c.name: (c.before, c.after) for c in compare(BASE, after)}
    assert changes == {"cycles": (1000, 1100), "layers.head.cycles": (10, 5)}


def test_a_report_is_compared_by_its_profile() -> None:
    report = {"profile": BASE, "memory": {"arena_bytes": 5}}
    assert [c.name for c in compare(report, report)] == ["cycles", "layers.head.cycles", "memory.arena_bytes"]


@pytest.mark.parametrize("other", [{"target": "nucleo-g0b1re"}, {"engine": "estimate"}])
def test_refuses_what_is_not_comparable(other: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="not comparable"):
        compare(BASE, changed(**other))


@pytest.mark.parametrize(
    ("rule", "cycles", "fails"),
    [
        ("cycles>+2%", 1020, False),
        ("cycles>=+2%", 1020, True),
        ("cycles > 2 %", 1021, True),
        ("cycles<-5%", 900, True),
        ("cycles>0", 1000, False),
        ("cycles>0", 1001, True),
        ("layers.head.cycles>0", 1001, False),
    ],
)
def test_rules(rule: str, cycles: int, fails: bool) -> None:
    changes = compare(BASE, changed(cycles=cycles))
    if not fails:
        return check_rules(changes, [parse_rule(rule)])
    with pytest.raises(FitError, match="cycles"):
        check_rules(changes, [parse_rule(rule)])
    return None


@pytest.mark.parametrize("text", ["cycles", "cycles>", ">2%", "cycles>two", "cycles!2"])
def test_refuses_what_is_not_a_rule(text: str) -> None:
    with pytest.raises(ConfigError, match="not a rule"):
        parse_rule(text)


def test_refuses_a_rule_about_an_unknown_figure() -> None:
    with pytest.raises(ConfigError, match="no figure 'cyles'"):
        check_rules(compare(BASE, BASE), [parse_rule("cyles>1")])
