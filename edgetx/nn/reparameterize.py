"""Merging branches that only training needs (structural re-parameterisation, Ding et al., 2021)."""

from copy import deepcopy
from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class Mergeable(Protocol):
    """A module of parallel linear branches."""

    def merged(self) -> nn.Module:
        """One module that computes the same in eval mode."""


def merge_branches(model: nn.Module) -> nn.Module:
    """The model with every such module merged; the model itself if there is none."""
    if not any(isinstance(module, Mergeable) for module in model.modules()):
        return model
    model = deepcopy(model)
    for name, module in list(model.named_modules()):
        if isinstance(module, Mergeable):
            model.set_submodule(name, module.merged())
    return model
