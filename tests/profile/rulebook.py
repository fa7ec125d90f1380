"""Published rules of instruction timing, from `rules/<core>.toml`, and what the models make of them.

A rule has `code`, and the `cycles` that its source gives for it (two numbers are a range). Where the model differs,
`model` says what it gives, and `why`. A `lead` runs before the code and is not counted.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from snippets import assemble, zero_wait_target

from edgetx.config import load_toml
from edgetx.profile import Simulator

FOLDER = Path(__file__).parent / "rules"
CORES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))

HEAD = """
.syntax unified
.thumb
.global _start, words
.data
.balign 8
words: .space 512
.text
.balign 8
_start:
"""
SNIPPET = """
{setup}
ldr r0, =words
b.n begin_{i}
.balign 8
begin_{i}:
{code}
finish_{i}:
b.n next_{i}
.balign 4
.ltorg
.balign 8
next_{i}:
"""


@dataclass(frozen=True)
class Rule:
    """One rule; `expected` is the range of cycles that its source gives."""

    core: str
    kind: str
    where: str
    name: str
    code: str
    expected: tuple[int, int]
    lead: str = ""
    model: int | None = None

    @property
    def is_exact(self) -> bool:
        """Whether the model follows it."""
        return self.model is None


@cache
def rules(core: str) -> tuple[Rule, ...]:
    """The rules of a core."""
    book = load_toml(FOLDER / f"{core}.toml")
    return tuple(_rule(core, group, row) for group in book["group"] for row in group["rule"])  # type: ignore[attr-defined]


@cache
def measured(core: str) -> dict[Rule, int]:
    """What the model of a core makes of its rules: the cycles of each between two unrelated instructions."""
    book = load_toml(FOLDER / f"{core}.toml")
    before, after, setup = (str(book[key]) for key in ("before", "after", "setup"))
    leads = sorted({rule.lead for rule in rules(core)})
    snippets = [("", lead) for lead in leads] + [(rule.code, rule.lead) for rule in rules(core)]
    text = HEAD + "".join(
        SNIPPET.format(setup=setup, i=i, code=_lines(f"{lead}; {before}; {code}; {after}"))
        for i, (code, lead) in enumerate(snippets)
    )
    sim = Simulator(zero_wait_target(core), assemble(core, text, Path(mkdtemp())))
    spent = [_run(sim, i) for i in range(len(snippets))]
    empty = dict(zip(leads, spent, strict=False))
    return {rule: cycles - empty[rule.lead] for rule, cycles in zip(rules(core), spent[len(leads) :], strict=True)}


def _rule(core: str, group: dict[str, str], row: dict[str, object]) -> Rule:
    cycles = row["cycles"]
    low, high = cycles if isinstance(cycles, list) else (cycles, cycles)
    code, lead, model = str(row["code"]), str(row.get("lead", "")), row.get("model")
    name = str(row.get("name", code))
    return Rule(core, group["kind"], group["where"], name, code, (int(low), int(high)), lead, model)  # type: ignore[arg-type]


def _lines(code: str) -> str:
    return "\n".join(line.strip() for line in code.split(";") if line.strip())


def _run(sim: Simulator, number: int) -> int:
    sim.run(until=sim.symbol(f"begin_{number}"))
    start = sim.cycles
    sim.run(until=sim.symbol(f"finish_{number}"), max_instructions=100_000)
    return sim.cycles - start
