"""The native trace engine: `native/engine.c`, compiled at first use."""

import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import unicorn
from unicorn import arm_const
from unicorn.unicorn_py3.unicorn import uclib

from edgetx.profile.trace.engine import Context, NodeFlag, Resolve, Stopped

SOURCES = Path(__file__).parent / "native"
FLAGS = ("-O2", "-std=c11", "-shared", "-fPIC")
MAX_DEPTH = 512

_ResolveCallback = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32, ctypes.c_uint32, ctypes.c_uint32)


class _Emulator(ctypes.Structure):
    _fields_ = (
        ("uc", ctypes.c_void_p),
        ("add_hook", ctypes.c_void_p),
        ("stop", ctypes.c_void_p),
        ("read_register", ctypes.c_void_p),
        ("block_hook", ctypes.c_int32),
        ("stack_register", ctypes.c_int32),
    )


class _Edge(ctypes.Structure):
    _fields_ = (
        ("pc", ctypes.c_uint32),
        ("cycles", ctypes.c_uint32),
        ("to", ctypes.c_int32),
        ("next", ctypes.c_int32),
        ("count", ctypes.c_uint64),
    )


class _Context(ctypes.Structure):
    _fields_ = (
        ("parent", ctypes.c_int32),
        ("child", ctypes.c_int32),
        ("sibling", ctypes.c_int32),
        ("function", ctypes.c_uint32),
        ("site", ctypes.c_uint32),
        ("cycles", ctypes.c_uint64),
        ("instructions", ctypes.c_uint64),
        ("calls", ctypes.c_uint64),
    )


class _Engine(ctypes.Structure):
    _fields_ = (
        ("cycles", ctypes.c_uint64),
        ("instructions", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("instruction_limit", ctypes.c_uint64),
        ("stopped", ctypes.c_int32),
        ("stop_requested", ctypes.c_int32),
        ("node", ctypes.c_int32),
        ("edge", ctypes.c_int32),
        ("context", ctypes.c_int32),
        ("depth", ctypes.c_int32),
        ("lowest_stack", ctypes.c_uint32),
        ("node_count", ctypes.c_int32),
        ("edge_count", ctypes.c_int32),
        ("context_count", ctypes.c_int32),
        ("edges", ctypes.POINTER(_Edge)),
        ("contexts", ctypes.POINTER(_Context)),
    )


def _forward(name: str) -> Any:
    """A field of the C structure as an attribute."""
    return property(lambda self: getattr(self._state, name), lambda self, value: setattr(self._state, name, value))


class NativeEngine:
    """`Engine` in C."""

    cycles = _forward("cycles")
    instructions = _forward("instructions")
    deadline = _forward("deadline")
    instruction_limit = _forward("instruction_limit")
    stop_requested = _forward("stop_requested")
    node = _forward("node")
    edge = _forward("edge")
    lowest_stack = _forward("lowest_stack")

    def __init__(self, uc: Any, resolve: Resolve) -> None:
        self._library = _load_library()
        self._resolve = _ResolveCallback(resolve)
        entry_points = _Emulator(
            uc._uch,
            ctypes.cast(uclib.uc_hook_add, ctypes.c_void_p),
            ctypes.cast(uclib.uc_emu_stop, ctypes.c_void_p),
            ctypes.cast(uclib.uc_reg_read, ctypes.c_void_p),
            unicorn.UC_HOOK_BLOCK,
            arm_const.UC_ARM_REG_SP,
        )
        self._engine = self._library.etx_new(self._resolve, ctypes.byref(entry_points))
        self._state = self._engine.contents
        if self._library.etx_attach(self._engine):
            raise RuntimeError("the emulator refused the block hook")

    def __del__(self) -> None:
        if hasattr(self, "_engine"):
            self._library.etx_free(self._engine)

    def resume(self) -> None:
        self._state.stopped = Stopped.RUNNING
        self._state.stop_requested = 0

    @property
    def stopped(self) -> Stopped:
        return Stopped(self._state.stopped)

    def add_node(self, pc: int, end: int, instructions: int, function: int, flags: NodeFlag) -> int:
        index: int = self._library.etx_add_node(self._engine, pc, end, instructions, function, flags)
        return index

    def add_edge(self, source: int, to: int, pc: int, cycles: int) -> int:
        index: int = self._library.etx_add_edge(self._engine, source, to, pc, cycles)
        return index

    def enter(self, function: int, site: int, return_pc: int) -> None:
        self._library.etx_enter(self._engine, function, site, return_pc)

    def leave(self, return_pc: int) -> None:
        self._library.etx_leave(self._engine, return_pc)

    def charge(self, cycles: int) -> None:
        self._library.etx_charge(self._engine, cycles)

    def edge_counts(self) -> list[int]:
        return [self._state.edges[i].count for i in range(self._state.edge_count)]

    def contexts(self) -> list[Context]:
        rows = (self._state.contexts[i] for i in range(self._state.context_count))
        return [Context(c.parent, c.function, c.site, c.cycles, c.instructions, c.calls) for c in rows]


def is_available() -> bool:
    """Whether the engine can be compiled and loaded here."""
    try:
        _load_library()
    except OSError:
        return False
    return True


@cache
def _load_library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(_build()))
    engine = ctypes.POINTER(_Engine)
    u32, i32 = ctypes.c_uint32, ctypes.c_int32
    signatures: dict[str, tuple[Any, Sequence[Any]]] = {
        "etx_new": (engine, (_ResolveCallback, ctypes.POINTER(_Emulator))),
        "etx_free": (None, (engine,)),
        "etx_attach": (ctypes.c_int32, (engine,)),
        "etx_add_node": (i32, (engine, u32, u32, u32, u32, u32)),
        "etx_add_edge": (i32, (engine, i32, i32, u32, u32)),
        "etx_enter": (None, (engine, u32, u32, u32)),
        "etx_leave": (None, (engine, u32)),
        "etx_charge": (None, (engine, u32)),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _build() -> Path:
    sources = sorted(SOURCES.glob("*.[ch]"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources) + repr(FLAGS).encode()).hexdigest()
    library = _cache_folder() / f"engine-{digest[:16]}.so"
    if not library.exists():
        _compile([path for path in sources if path.suffix == ".c"], library)
    return library


def _compile(sources: list[Path], library: Path) -> None:
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        result = Path(folder) / library.name
        command = [*_compiler(), *FLAGS, *map(str, sources), "-o", str(result)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise OSError(f"{command[0]} failed:\n{run.stderr}")
        os.replace(result, library)


def _compiler() -> list[str]:
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise OSError("no C compiler")


def _cache_folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "edgetx"
