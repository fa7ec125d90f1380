"""Two profiles or reports side by side, and rules for when a change is a failure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgetx.errors import ConfigError, FitError

Json = Mapping[str, object]
COMPARABLE = ("target", "engine")
_RULE = re.compile(r"\s*([\w.]+)\s*([<>]=?)\s*([+-]?\d+(?:\.\d+)?)\s*(%?)\s*")


@dataclass(frozen=True)
class Change:
    """A figure before and after."""

    name: str
    before: float
    after: float

    @property
    def percent(self) -> float | None:
        """Change in percent; None if it was zero before."""
        return (self.after - self.before) * 100 / self.before if self.before else None


@dataclass(frozen=True)
class Rule:
    """A rule such as `cycles>+2%`: fails when the change of a figure is beyond a limit."""

    text: str
    name: str
    above: bool
    inclusive: bool
    limit: float
    is_percent: bool

    def broken_by(self, change: Change) -> bool:
        """Whether a change breaks the rule."""
        amount = change.percent if self.is_percent else change.after - change.before
        if amount is None:
            amount = float("inf") if change.after else 0.0
        if self.inclusive and amount == self.limit:
            return True
        return amount > self.limit if self.above else amount < self.limit


def load_profile(path: Path) -> Json:
    """Read a profile or report: a JSON file, or a compiled folder.

    Raises:
        ConfigError: If there is none.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        data: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise ConfigError(f"not a profile or report: {problem}", where=str(file)) from problem
    if not isinstance(data, dict):
        raise ConfigError("not a profile or report", where=str(file))
    return data


def parse_rule(text: str) -> Rule:
    """Read a rule.

    Raises:
        ConfigError: If it is not one.
    """
    match = _RULE.fullmatch(text)
    if not match:
        raise ConfigError(f"not a rule: '{text}'", hint="for example 'cycles>+2%' or 'memory.arena_bytes>0'")
    name, comparison, limit, percent = match.groups()
    return Rule(text.strip(), name, comparison[0] == ">", comparison.endswith("="), float(limit), bool(percent))


def compare(before: Json, after: Json) -> list[Change]:
    """Every figure that both have, profile figures first.

    Raises:
        ConfigError: If the two are not comparable.
    """
    a, b = _flat(before), _flat(after)
    for key in COMPARABLE:
        if a.get(key) != b.get(key):
            raise ConfigError(
                f"not comparable: {key} is {a.get(key)} in one and {b.get(key)} in the other",
                hint="compare profiles of the same target and engine",
            )
    pairs = ((key, _number(a[key]), _number(b.get(key))) for key in a)
    return [Change(key, x, y) for key, x, y in pairs if x is not None and y is not None]


def check_rules(changes: Sequence[Change], rules: Sequence[Rule]) -> None:
    """Enforce rules.

    Raises:
        ConfigError: If a rule names a figure that the profiles do not have.
        FitError: If a rule is broken.
    """
    by_name = {change.name: change for change in changes}
    for rule in rules:
        if rule.name not in by_name:
            raise ConfigError(f"no figure '{rule.name}'", hint=f"there are {', '.join(sorted(by_name)[:20])}")
    broken = [rule for rule in rules if rule.broken_by(by_name[rule.name])]
    if broken:
        raise FitError("; ".join(_describe(rule, by_name[rule.name]) for rule in broken))


def _describe(rule: Rule, change: Change) -> str:
    percent = "" if change.percent is None else f" ({change.percent:+.2f} %)"
    return f"{rule.text}: {change.name} went from {change.before:g} to {change.after:g}{percent}"


def _flat(data: Json) -> dict[str, object]:
    """Nested tables as dotted keys, those of the profile without a prefix; layers by name."""
    profile = data.get("profile")
    flat: dict[str, object] = dict(_walk(profile if isinstance(profile, Mapping) else data, ""))
    if isinstance(profile, Mapping):
        flat |= {key: value for key, value in _walk(data, "") if not key.startswith("profile.") and key not in flat}
    return flat


def _walk(value: object, prefix: str) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [
            item for key, inner in value.items() for item in _walk(inner, f"{prefix}.{key}" if prefix else str(key))
        ]
    if isinstance(value, list):
        named = [inner for inner in value if isinstance(inner, Mapping) and "name" in inner]
        return [item for inner in named for item in _walk(inner, f"{prefix}.{inner['name']}")]
    return [(prefix, value)]


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
