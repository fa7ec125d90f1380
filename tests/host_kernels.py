"""The portable kernels as one library for this machine, called op by op."""

import ctypes
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from edgetx.ir import Array, Arrays, Graph, Node, Value
from edgetx.ops import KernelCall

KERNELS = Path(__file__).parents[1] / "edgetx" / "kernels"
WARNINGS = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")
COMPILER = os.environ.get("CC", "cc")
SANITIZERS = os.environ.get("EDGETX_TEST_SANITIZERS", "undefined")
C_TYPES = {"int32_t": ctypes.c_int32, "int64_t": ctypes.c_int64}
STRUCT = re.compile(r"typedef struct \{(.*?)\} (\w+);", re.DOTALL)
FIELD = re.compile(r"(\w+) (\w+)(?:\[(\w+)\])?;")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def compile_library(sources: Sequence[Path], *options: str) -> ctypes.CDLL:
    """A shared library of C files, with sanitizers that end the process."""
    library = Path(tempfile.mkdtemp()) / "library.so"
    checks = (f"-fsanitize={SANITIZERS}", "-fno-sanitize-recover=all", "-g", "-O1", "-shared", "-fPIC")
    command = [COMPILER, *WARNINGS, *checks, f"-I{KERNELS}", *options, "-o", str(library), *map(str, sources)]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(library))


@cache
def library() -> ctypes.CDLL:
    return compile_library(sorted(KERNELS.glob("*.c")))


@cache
def structs() -> Mapping[str, type[ctypes.Structure]]:
    """The parameter structs as the header declares them."""
    header = COMMENT.sub("", (KERNELS / "etx_kernels.h").read_text())
    sizes = {name: int(value) for name, value in re.findall(r"#define (\w+) (\d+)", header)}
    found = {}
    for body, name in STRUCT.findall(header):
        fields = [
            (field, C_TYPES[kind] * int(sizes.get(size, size)) if size else C_TYPES[kind])
            for kind, field, size in FIELD.findall(body)
        ]
        found[name] = type(name, (ctypes.Structure,), {"_fields_": fields})
    return found


def parameters(call: KernelCall) -> ctypes.Structure:
    """The filled struct; every field is given and no other."""
    struct = structs()[call.struct]
    assert {name for name, *_ in struct._fields_} == set(call.params), call.struct
    result = struct()
    for name, kind in ((field[0], field[1]) for field in struct._fields_):
        value = call.params[name]
        setattr(result, name, value if isinstance(value, int) else kind(*value))
    return result


def run_call(call: KernelCall, values: Mapping[str, Array], results: Sequence[Array]) -> None:
    """Call a kernel on arrays of exactly the sizes it may touch."""
    operands = [values[o.name] if isinstance(o, Value) else np.ascontiguousarray(o) for o in call.operands]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in operands]
    arguments = [(ctypes.c_void_p * len(pointers))(*pointers)] if call.variadic else pointers
    scratch = np.empty(call.scratch_bytes, np.int8)
    arguments += [ctypes.c_void_p(array.ctypes.data) for array in (*results, *([scratch] if scratch.size else []))]
    getattr(library(), f"etx_{call.kernel}")(ctypes.byref(parameters(call)), *arguments)


def run_c(graph: Graph, inputs: Sequence[Array]) -> Arrays:
    """The results of the only node of `graph`."""
    (node,) = graph.nodes
    results = [np.empty(value.shape, value.type.dtype) for value in node.outputs]
    run_call(node.op.to_c(node), _values(graph, node, inputs), results)
    return tuple(results)


def run_c_in_place(graph: Graph, inputs: Sequence[Array]) -> Arrays | None:
    """The same with the result written over the operand that the kernel offers; None if it offers none."""
    (node,) = graph.nodes
    call = node.op.to_c(node)
    if call.in_place is None:
        return None
    values = {name: array.copy() for name, array in _values(graph, node, inputs).items()}
    operand = call.operands[call.in_place]
    assert isinstance(operand, Value)
    assert operand.type.nbytes == node.output.type.nbytes
    result = values[operand.name]
    run_call(call, values, [result])
    return (result.view(node.output.type.dtype).reshape(node.output.shape),)


def _values(graph: Graph, node: Node, inputs: Sequence[Array]) -> dict[str, Array]:
    given = {value.name: np.ascontiguousarray(array) for value, array in zip(graph.inputs, inputs, strict=True)}
    return {**{value.name: graph.consts[value.name] for value in node.inputs if value.name in graph.consts}, **given}
