"""Names and spellings in the generated C."""

import re
from collections.abc import Iterable

from edgetx.ir import Array, DType, dtype_of
from edgetx.plan import Step

C_TYPES: dict[DType, str] = {
    "int8": "int8_t", "int16": "int16_t", "int32": "int32_t", "int64": "int64_t", "uint8": "uint8_t",
}  # fmt: skip


def layer_symbol(index: int, step: Step) -> str:
    """Name of the function that computes a step."""
    return f"etx_layer_{index:03d}_{identifier(step.node.name)}"


def identifier(name: str) -> str:
    """A name with everything replaced that C does not allow."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)


def spell_ints(data: Iterable[int], per_line: int = 24) -> str:
    """Integers as the lines of an initializer."""
    words = [_spell(value) for value in data]
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return ",\n  ".join(lines)


def spell_array(symbol: str, data: Array) -> str:
    """A constant array."""
    c_type = C_TYPES[dtype_of(data)]
    return f"static const {c_type} {symbol}[{data.size}] = {{\n  {spell_ints(map(int, data.ravel()))}\n}};"


def _spell(value: int) -> str:
    if value == -(2**31):
        return "INT32_MIN"
    return str(value) if abs(value) < 2**31 else f"{value}LL"
