"""PyTorch to float graphs, through `torch.export`."""

from edgetx.frontends.torch import activation, arithmetic, convolution, movement, recurrence, reduction, selection
from edgetx.frontends.torch.importer import export_module, import_program, load_pt2

__all__ = [
    "activation",
    "arithmetic",
    "convolution",
    "export_module",
    "import_program",
    "load_pt2",
    "movement",
    "recurrence",
    "reduction",
    "selection",
]
