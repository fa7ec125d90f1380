"""The registry, the folder of ops and the folder of kernels agree."""

import re
from pathlib import Path

import pytest
from cases import CASES
from host_kernels import KERNELS, structs
from recurrent_cases import CASES as RECURRENT_CASES

from edgetx import ops
from edgetx.ir import Graph, Value
from edgetx.ops import REGISTRY, Op
from edgetx.ops.op import Registry
from edgetx.plan.kernels import available_forms

FOLDER = Path(ops.__file__).parent
REGISTERED = re.compile(r"^@register$", re.MULTILINE)


def test_every_registering_file_is_imported_and_named_after_its_op() -> None:
    files = {path.stem for path in FOLDER.glob("*.py") if REGISTERED.search(path.read_text())}
    assert files == set(REGISTRY)
    assert {name: cls.__module__ for name, cls in REGISTRY.items()} == {n: f"edgetx.ops.{n}" for n in REGISTRY}


def test_every_op_is_exported() -> None:
    assert {cls.__name__ for cls in REGISTRY.values()} <= set(ops.__all__)


def portable_forms(graph: Graph) -> set[str]:
    """Kernels that the first node may call where a core has none of its own."""
    call = graph.nodes[0].op.to_c(graph.nodes[0])
    data = [graph.const(operand) if isinstance(operand, Value) else operand for operand in call.operands]
    return {form.kernel for form, _ in available_forms(call, data, ())}


def test_every_kernel_file_is_called_by_an_op() -> None:
    used = {kernel for case in (*CASES, *RECURRENT_CASES) for kernel in portable_forms(case.graph(0))}
    mixed_widths = {f"quantize_{pair}" for pair in ("s8_s16", "s16_s8", "s8_u8", "u8_s8", "s16_s32")}
    assert {path.stem for path in KERNELS.glob("*.c")} == used | mixed_widths | {
        "arg_max_s8",
        "arg_max_s16",
        "lookup_s8",
        "lstm_cell_s8",
        "event_matmul_s8",
        "lut_s8_s16",
        "mul_narrow_s8",
    }


def test_every_kernel_file_defines_its_kernel() -> None:
    header = (KERNELS / "etx_kernels.h").read_text()
    for path in KERNELS.glob("*.c"):
        assert re.search(rf"(void|#define ETX_KERNEL) etx_{path.stem}\b", path.read_text())
        assert f"void etx_{path.stem}(" in header
    assert structs()


def test_second_op_of_a_name_is_refused() -> None:
    registry = Registry()
    registry.add(REGISTRY["add"])
    with pytest.raises(TypeError, match="twice"):
        registry.add(REGISTRY["add"])


def test_incomplete_op_is_refused() -> None:
    class Half(Op):
        name = "half"

    with pytest.raises(TypeError, match="lacks cost, float_ref, infer, int_ref"):
        Registry().add(Half)
