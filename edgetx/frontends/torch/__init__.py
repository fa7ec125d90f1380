"""PyTorch to float graphs, through `torch.export`."""

from edgetx.frontends.torch import activation, arithmetic, convolution, movement, recurrence, reduction, selection
from edgetx.frontends.torch.importer import export_module, import_program, load_pt2
from edgetx.frontends.torch.program import TorchProgram

__all__ = [
    "TorchProgram",
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
