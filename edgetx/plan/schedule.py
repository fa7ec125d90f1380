"""Which form of a kernel a layer takes on a board: found in the cycle simulator, looked up by the layer's shape."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from edgetx.config import load_toml, parse
from edgetx.errors import TargetError
from edgetx.ops import KernelCall
from edgetx.resources import data_dir
from edgetx.targets import Target

REACH = 4.0
"""A layer takes the forms of one whose sizes differ from its own by no more than such a factor each."""


@dataclass(frozen=True)
class LayerShape:
    """What a form's cycles depend on: rows, and what goes into and comes out of each."""

    kernel: str
    rows: int
    inputs: int
    outputs: int

    @classmethod
    def of(cls, call: KernelCall) -> "LayerShape | None":
        """Shape of a call as its op makes it; None for kernels that have nothing to choose."""
        p = {name: value for name, value in call.params.items() if isinstance(value, int)}
        match call.kernel:
            case "fully_connected_s8" | "fully_connected_once_s8":
                return cls(call.kernel, p["rows"], p["in_features"], p["out_features"])
            case "conv_2d_s8":
                pixels = p["window_height"] * p["window_width"]
                rows, single = p["out_height"] * p["out_width"], pixels * p["stride_height"] * p["stride_width"] == 1
                kernel = "fully_connected_s8" if single else call.kernel  # what windows of one pixel become
                return cls(kernel, rows, pixels * p["in_channels"], p["out_channels"])
            case "layer_norm_s8":
                return cls(call.kernel, p["rows"], p["width"], p["width"])
        return None

    def distance(self, other: "LayerShape") -> float:
        """Octaves between two shapes; infinite where one tells nothing of the other."""
        pairs = (self.rows, other.rows), (self.inputs, other.inputs), (self.outputs, other.outputs)
        octaves = [abs(math.log2(a / b)) for a, b in pairs]
        return sum(octaves) if self.kernel == other.kernel and max(octaves) <= math.log2(REACH) else math.inf


@dataclass(frozen=True)
class TunedLayer:
    """One measured layer.

    Attributes:
        kernel: The kernel as the op names it.
        rows: Rows, or results of a convolution by channel.
        inputs: What each row or window reads.
        outputs: What comes out of each.
        forms: Forms worth having, the fastest first; each takes less memory than the one before it.
        cycles: Their cycles.
        code_bytes: Code of each in flash.
    """

    kernel: str
    rows: int
    inputs: int
    outputs: int
    forms: tuple[str, ...]
    cycles: tuple[int, ...]
    code_bytes: tuple[int, ...]

    @property
    def shape(self) -> LayerShape:
        """What it was measured for."""
        return LayerShape(self.kernel, self.rows, self.inputs, self.outputs)


@dataclass(frozen=True)
class Schedule:
    """Measured layers of a board."""

    target: str = ""
    source: str = ""
    layer: tuple[TunedLayer, ...] = ()

    def forms(self, call: KernelCall) -> Sequence[str]:
        """Names of the forms of a call as its op makes it, the best first; none if nothing like it was measured."""
        shape = LayerShape.of(call)
        if shape is None or not self.layer:
            return ()
        distance, nearest = min(
            ((shape.distance(layer.shape), layer) for layer in self.layer), key=lambda found: found[0]
        )
        return nearest.forms if math.isfinite(distance) else ()


UNTUNED = Schedule()


def load_schedule(target: Target) -> Schedule:
    """The schedule of a board, else that of its core, else none.

    Raises:
        TargetError: If the file is not valid.
    """
    folder = data_dir("targets") / "schedules"
    for name in (target.name, target.core):
        if (folder / f"{name}.toml").is_file():
            return read_schedule(folder / f"{name}.toml")
    return UNTUNED


@cache
def read_schedule(path: Path) -> Schedule:
    """A file that `edgetx tune` wrote.

    Raises:
        TargetError: If it is not valid.
    """
    schedule = parse(load_toml(path, TargetError), Schedule, path.name, TargetError)
    for index, layer in enumerate(schedule.layer):
        sizes = layer.rows, layer.inputs, layer.outputs
        if min(sizes) < 1 or not layer.forms or not len(layer.forms) == len(layer.cycles) == len(layer.code_bytes):
            raise TargetError("sizes are positive, and each form has its cycles", where=f"{path.name} layer[{index}]")
    return schedule


def schedule_text(schedule: Schedule) -> str:
    """The file that `read_schedule` reads."""
    head = f"target = {json.dumps(schedule.target)}\nsource = {json.dumps(schedule.source, ensure_ascii=False)}\n"
    return head + "".join(f"\n[[layer]]\n{_layer_text(layer)}" for layer in schedule.layer)


def _layer_text(layer: TunedLayer) -> str:
    fields: Mapping[str, object] = {
        "kernel": f'"{layer.kernel}"',
        "rows": layer.rows,
        "inputs": layer.inputs,
        "outputs": layer.outputs,
        "forms": "[" + ", ".join(f'"{form}"' for form in layer.forms) + "]",
        "cycles": list(layer.cycles),
        "code_bytes": list(layer.code_bytes),
    }
    return "".join(f"{name} = {value}\n" for name, value in fields.items())
