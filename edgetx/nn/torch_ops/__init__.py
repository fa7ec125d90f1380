"""Recurrences as torch ops of their own, which `torch.export` keeps whole.

Importing this package registers them as `torch.ops.edgetx.*`.
"""

from edgetx.nn.torch_ops.lif import lif
from edgetx.nn.torch_ops.linear_recurrence import linear_recurrence
from edgetx.nn.torch_ops.lmu import lmu

__all__ = ["lif", "linear_recurrence", "lmu"]
