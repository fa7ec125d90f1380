"""Golden cases: inputs and audio that go into an image, with the CRC of what must come out."""

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


@dataclass(frozen=True)
class GoldenAudio:
    """The start of a clip for the front end.

    Attributes:
        samples: 16-bit samples.
        rows: Rows of features that they give.
        rows_crc32: `zlib.crc32` over the rows.
    """

    samples: Sequence[int] = ()
    rows: int = 0
    rows_crc32: int = 0


def golden_source(cases: Sequence[GoldenCase], audio: GoldenAudio) -> str:
    """C source that defines the cases."""
    lines = ['#include "etx_golden.h"', "", '#define GOLDEN __attribute__((section(".golden")))', ""]
    for i, case in enumerate(cases):
        lines += [f"GOLDEN static const unsigned char inputs_{i}[] = {{", *_rows(case.inputs), "};", ""]
    lines.append("GOLDEN const etx_golden_case etx_golden_cases[] = {")
    lines += [f"    {{inputs_{i}, 0x{case.outputs_crc32:08x}u}}," for i, case in enumerate(cases)]
    lines += ["};", f"const uint32_t etx_golden_case_count = {len(cases)}u;", ""]
    lines += ["GOLDEN static const int16_t samples[] = {", *_rows(audio.samples or (0,)), "};"]
    lines += [f"const etx_golden_audio etx_golden_clip = {{samples, {audio.rows}u, 0x{audio.rows_crc32:08x}u}};", ""]
    return "\n".join(lines)


def _rows(data: Sequence[int]) -> list[str]:
    starts = range(0, len(data), _BYTES_PER_LINE)
    return ["    " + ", ".join(map(str, data[i : i + _BYTES_PER_LINE])) + "," for i in starts]
