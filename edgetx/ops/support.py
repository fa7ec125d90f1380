"""What each op can do, read off the classes: the table behind `edgetx list ops` and `docs/ops.md`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edgetx.ops.op import REGISTRY, Op

FORMS: dict[str, Callable[..., Any]] = {"tflite": Op.to_tflite, "onnx": Op.to_onnx, "c": Op.to_c}
"""Output forms and the methods whose overriding gives them."""


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


def has_form(op: type[Op], form: str) -> bool:
    """Whether ops of a class have an output form: `tflite`, `onnx` or `c`."""
    base = FORMS[form]
    return getattr(op, base.__name__) is not base


def support_table() -> list[Support]:
    """Every op, by name."""
    return [
        Support(
            op=name,
            meaning=(cls.__doc__ or "").partition("\n")[0],
            widths=tuple(sorted(cls.activation_bits)),
            forms=frozenset(form for form in FORMS if has_form(cls, form)),
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
