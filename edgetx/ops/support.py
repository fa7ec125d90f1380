"""What each op can do, read off the classes: the table behind `edgetx list ops` and `docs/ops.md`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgetx.ops.op import REGISTRY

FORMS: tuple[Literal["tflite", "onnx", "c"], ...] = ("tflite", "onnx", "c")
"""Output forms."""


@dataclass(frozen=True)
class Support:
    """One op of the table.

    Attributes:
        op: Name.
        meaning: First sentence of its documentation.
        widths: Widths of activations, in bits, for which it has integer arithmetic.
        forms: Output forms that it has.
    """

    op: str
    meaning: str
    widths: tuple[int, ...]
    forms: frozenset[str]


def support_table() -> list[Support]:
    """Every op, by name."""
    return [
        Support(
            op=name,
            meaning=(cls.__doc__ or "").partition("\n")[0],
            widths=tuple(sorted(cls.activation_bits)),
            forms=frozenset(form for form in FORMS if cls.has_form(form)),
        )
        for name, cls in sorted(REGISTRY.items())
    ]


def to_markdown(table: Sequence[Support]) -> str:
    """The table for the documentation: under each form, the widths it has, or a dash."""
    rows = ["| op | meaning | TFLite | ONNX | C |", "|---|---|---|---|---|"]
    for line in table:
        widths = ", ".join(f"int{bits}" for bits in line.widths)
        cells = [widths if form in line.forms else "–" for form in FORMS]
        rows.append(f"| `{line.op}` | {line.meaning} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"
