"""Another task on a trained backbone: a new head, and low-rank changes of its linear layers (LoRA, Hu et al., 2022)."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from edgetx.errors import ConfigError, ModelError
from edgetx.nn.zoo import load_zoo_model
from edgetx.recipe import Recipe

HEAD = "head"


class LowRank(nn.Module):
    """A weight plus the product of two thin matrices, which begins as zero.

    Args:
        weight: What is changed, outputs × inputs.
        rank: Columns of the one and rows of the other.
    """

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        outputs, inputs = weight.shape
        self.down = nn.Parameter(torch.randn(rank, inputs) / inputs**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The changed weight."""
        return weight + self.up @ self.down


def adapt(model: nn.Module, recipe: Recipe) -> nn.Module:
    """Give a fresh model the backbone that its recipe names, fixed but for low-rank changes; its head stays fresh.

    Args:
        model: The recipe's model.
        recipe: A recipe with `[adaptation]`.

    Raises:
        ConfigError: If the backbone does not exist, hears otherwise or is of another architecture.
        ModelError: If it has no weights, or no single linear layer at its end.
    """
    assert recipe.adaptation is not None
    source, where = recipe.adaptation.backbone, f"{recipe.name}.adaptation.backbone"
    backbone, theirs, _ = load_zoo_model(source)
    for mine, other, what in (
        (recipe.model, theirs.model, "another architecture or other options than [model]"),
        (recipe.frontend, theirs.frontend, "another front end"),
        (recipe.input_shape, theirs.input_shape, "clips of another length"),
    ):
        if mine != other:
            raise ConfigError(f"{source} has {what}: {other}", where=where, hint="copy that part of its recipe")
    if not isinstance(getattr(model, HEAD, None), nn.Linear):
        raise ModelError("its last layer is not a linear one that could be exchanged", where=source)
    body = {name: tensor for name, tensor in backbone.state_dict().items() if not name.startswith(f"{HEAD}.")}
    model.load_state_dict(body, strict=False)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(f"{HEAD}."))
    if recipe.adaptation.rank:
        for layer in _linear_layers(model):
            parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, recipe.adaptation.rank))
    return model


def hold_statistics(model: nn.Module) -> None:
    """Keep normalizations as they were trained: a training step would measure them anew."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()


def folded(model: nn.Module) -> nn.Module:
    """The model with low-rank changes added to the weights that they change."""
    for layer in _linear_layers(model):
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    return model


def _linear_layers(model: nn.Module) -> list[nn.Linear]:
    """Those before the head."""
    return [module for name, module in model.named_modules() if isinstance(module, nn.Linear) and name != HEAD]
