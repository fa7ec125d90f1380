"""Golden cases: inputs that go into an image, with the CRC that the outputs must have."""

from collections.abc import Sequence
from dataclasses import dataclass

_BYTES_PER_LINE = 16


@dataclass(frozen=True)
class GoldenCase:
    """One call of the model; state is kept from case to case.

    Attributes:
        inputs: Bytes of all inputs, one after the other, little endian.
        outputs_crc32: `zlib.crc32` over the bytes of all outputs, one after the other.
    """

    inputs: bytes
    outputs_crc32: int


def golden_source(cases: Sequence[GoldenCase]) -> str:
    """C source that defines the cases."""
    lines = ['#include "etx_golden.h"', "", '#define GOLDEN __attribute__((section(".golden")))', ""]
    for i, case in enumerate(cases):
        lines += [f"GOLDEN static const unsigned char inputs_{i}[] = {{", *_rows(case.inputs), "};", ""]
    lines.append("GOLDEN const etx_golden_case etx_golden_cases[] = {")
    lines += [f"    {{inputs_{i}, 0x{case.outputs_crc32:08x}u}}," for i, case in enumerate(cases)]
    return "\n".join([*lines, "};", f"const uint32_t etx_golden_case_count = {len(cases)}u;", ""])


def _rows(data: bytes) -> list[str]:
    starts = range(0, len(data), _BYTES_PER_LINE)
    return ["    " + ", ".join(map(str, data[i : i + _BYTES_PER_LINE])) + "," for i in starts]
