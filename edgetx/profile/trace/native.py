"""The native trace engine: `native/engine.c`, compiled at first use."""

import ctypes
import dataclasses
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import unicorn
from unicorn import arm_const
from unicorn.unicorn_py3.unicorn import uclib

from edgetx.profile.trace.costs import Costs
from edgetx.profile.trace.engine import CONDITIONS, Context, EdgeCount, EdgeKey, NodeFlag, Resolve, Stopped, Traffic
from edgetx.profile.trace.events import Event, StallKind
from edgetx.profile.trace.memory_map import MemoryMap
from edgetx.profile.trace.slices import Step

MASK_REGISTERS = (arm_const.UC_ARM_REG_PRIMASK, arm_const.UC_ARM_REG_BASEPRI, arm_const.UC_ARM_REG_FAULTMASK)
SOURCES = Path(__file__).parent / "native"
FLAGS = ("-O3", "-std=c11", "-flto", "-fno-semantic-interposition", "-shared", "-fPIC")

_ResolveCallback = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int32, ctypes.c_uint32, ctypes.c_uint32)


def _fields(type_: Any, names: str) -> list[tuple[str, Any]]:
    return [(name, type_) for name in names.split()]


class _Emulator(ctypes.Structure):
    _fields_ = (
        *_fields(ctypes.c_void_p, "uc add_hook stop read_register"),
        *_fields(ctypes.c_int32, "block_hook stack_register code_hook flags_register"),
        ("mask_registers", ctypes.c_int32 * len(MASK_REGISTERS)),
    )


class _Edge(ctypes.Structure):
    _fields_ = (
        *_fields(ctypes.c_uint32, "pc size cycles"),
        *_fields(ctypes.c_int32, "condition outcome to next event event_count data data_count group group_count"),
        *_fields(ctypes.c_int32, "step step_count chains grouped last_group"),
        *_fields(ctypes.c_uint64, "settled count"),
        ("stalls", ctypes.c_uint64 * len(StallKind)),
    )


class _Event(ctypes.Structure):
    _fields_ = (
        *_fields(ctypes.c_uint32, "kind flags"),
        ("offset", ctypes.c_int32),
        *_fields(ctypes.c_uint32, "width count"),
        *_fields(ctypes.c_int32, "a b"),
        ("where", ctypes.c_uint32),
        *_fields(ctypes.c_int32, "region group"),
    )


class _Step(ctypes.Structure):
    _fields_ = (*_fields(ctypes.c_int32, "operation a b"), ("immediate", ctypes.c_uint32))


class _Costs(ctypes.Structure):
    _fields_ = tuple(_fields(ctypes.c_uint32, " ".join(field.name for field in dataclasses.fields(Costs))))


class _Region(ctypes.Structure):
    _fields_ = (
        *_fields(ctypes.c_uint32, "base end bank line_shift wait prefetch penalty"),
        *_fields(ctypes.c_int32, "fetch_cache data_cache"),
        ("host", ctypes.c_void_p),
        *_fields(ctypes.c_uint32, "fetch_line data_line next_line buffers_data"),
        *_fields(ctypes.c_uint64, "next_ready busy read_bytes written_bytes"),
    )


class _Cache(ctypes.Structure):
    _fields_ = (
        *_fields(ctypes.c_uint32, "line_shift set_count way_count enabled random"),
        ("lines", ctypes.c_void_p),
        ("misses", ctypes.c_uint64),
    )


class _Context(ctypes.Structure):
    _fields_ = (
        *_fields(ctypes.c_int32, "parent child sibling"),
        *_fields(ctypes.c_uint32, "function site"),
        *_fields(ctypes.c_uint64, "cycles instructions calls"),
    )


class _Engine(ctypes.Structure):
    _fields_ = (
        *_fields(ctypes.c_uint64, "cycles instructions deadline instruction_limit"),
        *_fields(ctypes.c_int32, "stopped stop_requested node edge context depth"),
        *_fields(ctypes.c_uint32, "lowest_stack device"),
        *_fields(ctypes.c_int32, "may_overrun node_count edge_count context_count"),
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
    device = _forward("device")
    may_overrun = _forward("may_overrun")

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
            unicorn.UC_HOOK_CODE,
            arm_const.UC_ARM_REG_APSR,
            (ctypes.c_int32 * len(MASK_REGISTERS))(*MASK_REGISTERS),
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

    def add_edge(self, source: int, to: int, key: EdgeKey, cycles: int) -> int:
        condition = CONDITIONS.index(key.condition) if key.condition else 0
        outcome = 1 + key.holds if key.condition else 0
        edge = _Edge(key.pc, key.size, cycles, condition, outcome, to)
        index: int = self._library.etx_add_edge(self._engine, source, ctypes.byref(edge))
        return index

    def cut(self, first: int, last: int) -> None:
        for address in {first, last}:
            self._library.etx_forget(self._engine, address)
        if self._library.etx_cut(self._engine, first, last):
            raise RuntimeError("the emulator refused the code hook")

    def add_events(self, edge: int, events: Sequence[Event], steps: Sequence[Step]) -> None:
        rows = [
            _Event(e.kind, e.flags, e.offset, e.width, e.count, _as_signed(e.a), _as_signed(e.b), e.where)
            for e in events
        ]
        values = [_Step(s.operation, s.a, s.b, s.immediate) for s in steps]
        self._library.etx_add_events(
            self._engine, edge, (_Event * len(rows))(*rows), len(rows), (_Step * len(values))(*values), len(values)
        )

    def set_costs(self, costs: Costs) -> None:
        self._library.etx_set_costs(self._engine, ctypes.byref(_Costs(*dataclasses.astuple(costs))))

    def add_cache(self, line_shift: int, set_count: int, way_count: int, random: int) -> None:
        self._library.etx_add_cache(self._engine, line_shift, set_count, way_count, random)

    def set_memory(self, memory: MemoryMap, host_address: Callable[[int], int]) -> None:
        for index, region in enumerate(memory.regions):
            row = _Region(**dataclasses.asdict(region), host=host_address(region.base))
            self._library.etx_set_region(self._engine, index, ctypes.byref(row))
        for index, on in enumerate(memory.caches_on):
            self._library.etx_enable_cache(self._engine, index, on)
        self._memory = memory

    def traffic(self) -> list[Traffic]:
        regions = [self._library.etx_region_at(self._engine, i).contents for i in range(len(self._memory.regions))]
        return [Traffic(region.base, region.read_bytes, region.written_bytes) for region in regions]

    def cache_misses(self) -> list[int]:
        caches = [self._library.etx_cache_at(self._engine, i).contents for i in range(len(self._memory.caches_on))]
        return [cache.misses for cache in caches]

    def watch(self, addresses: Collection[int]) -> None:
        rows = (ctypes.c_uint32 * len(addresses))(*addresses)
        self._library.etx_watch(self._engine, rows, len(addresses))

    def watch_masks(self, on: bool) -> None:
        self._library.etx_watch_masks(self._engine, on)

    def enter(self, function: int, site: int, return_pc: int) -> None:
        self._library.etx_enter(self._engine, function, site, return_pc)

    def leave(self, return_pc: int) -> None:
        self._library.etx_leave(self._engine, return_pc)

    def charge(self, cycles: int) -> None:
        self._library.etx_charge(self._engine, cycles)

    def edge_counts(self) -> list[EdgeCount]:
        edges = (self._state.edges[i] for i in range(self._state.edge_count))
        return [EdgeCount(edge.count, tuple(edge.stalls)) for edge in edges]

    def contexts(self) -> list[Context]:
        rows = (self._state.contexts[i] for i in range(self._state.context_count))
        return [Context(c.parent, c.function, c.site, c.cycles, c.instructions, c.calls) for c in rows]


def _as_signed(value: int) -> int:
    return ctypes.c_int32(value).value


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
        "etx_add_edge": (i32, (engine, i32, ctypes.POINTER(_Edge))),
        "etx_cut": (i32, (engine, u32, u32)),
        "etx_forget": (None, (engine, u32)),
        "etx_enter": (None, (engine, u32, u32, u32)),
        "etx_leave": (None, (engine, u32)),
        "etx_charge": (None, (engine, u32)),
        "etx_watch_masks": (None, (engine, i32)),
        "etx_watch": (None, (engine, ctypes.POINTER(u32), i32)),
        "etx_add_events": (None, (engine, i32, ctypes.POINTER(_Event), i32, ctypes.POINTER(_Step), i32)),
        "etx_set_costs": (None, (engine, ctypes.POINTER(_Costs))),
        "etx_set_region": (None, (engine, i32, ctypes.POINTER(_Region))),
        "etx_enable_cache": (None, (engine, i32, i32)),
        "etx_region_at": (ctypes.POINTER(_Region), (engine, i32)),
        "etx_cache_at": (ctypes.POINTER(_Cache), (engine, i32)),
        "etx_add_cache": (i32, (engine, u32, u32, u32, u32)),
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
