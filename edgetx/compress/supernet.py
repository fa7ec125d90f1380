"""One network that holds many: every smaller one is made of the beginnings of its weights (after LightHuBERT).

A recipe names the largest network under `[model]` and what may be smaller under `[search.space]`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from edgetx.compress.space import Choice, Space
from edgetx.compress.tuning import Batch, Distilling
from edgetx.nn import build
from edgetx.recipe import Recipe

_RANDOM_SUBNETS = 2
_CALIBRATION_BATCHES = 8


class Supernet(nn.Module):
    """The largest network of a space; its parameters are shared by all others.

    Args:
        recipe: The recipe with the space.

    Raises:
        ConfigError: If the space names an option that the architecture lacks, or a value larger than the model's.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe, self.space = recipe, Space.of(recipe)
        self.full = build(recipe)
        self.packing: Mapping[str, tuple[int, int]] = getattr(self.full, "packing", dict)()
        self._templates: dict[Choice, nn.Module] = {}
        for choice in (self.space.smallest, self.space.largest):
            self._parts(self._template(choice))

    def forward(self, x: Tensor, choice: Choice | None = None) -> Tensor:
        """Logits of one of the networks, by default the largest; normalizations see the batch in training."""
        if choice is None:
            logits: Tensor = self.full(x)
            return logits
        template = self._template(choice).train(self.training)
        parts = {name: tensor.clone() if _is_statistic(name) else tensor for name, tensor in self._parts(template)}
        return functional_call(template, parts, (x,))  # type: ignore[no-any-return]

    def subnet(self, choice: Choice, calibration: Tensor) -> nn.Module:
        """A network of its own with the shared weights, its batch statistics taken from model inputs."""
        module = build(subnet_recipe(self.recipe, choice))
        module.load_state_dict({name: tensor.detach().clone() for name, tensor in self._parts(module)})
        norms = [m for m in module.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # an average over all batches
        module.train()
        with torch.no_grad():
            for batch in torch.chunk(calibration, _CALIBRATION_BATCHES):
                module(batch)
        for norm in norms:
            norm.momentum = 0.1
        return module.eval()

    def _template(self, choice: Choice) -> nn.Module:
        if choice not in self._templates:
            self._templates[choice] = build(subnet_recipe(self.recipe, choice))
        return self._templates[choice]

    def _parts(self, module: nn.Module) -> Iterator[tuple[str, Tensor]]:
        """The beginnings of the shared tensors, in the shapes of a smaller network."""
        shared = {**dict(self.full.named_parameters()), **dict(self.full.named_buffers())}
        for name, tensor in module.state_dict().items():
            yield name, beginning(shared[name], tensor.shape, self.packing.get(name))


def beginning(tensor: Tensor, shape: torch.Size, packed: tuple[int, int] | None = None) -> Tensor:
    """The first elements along every axis, of each of the equal parts that lie end to end along one axis.

    Args:
        tensor: A tensor that is at least as large along every axis.
        shape: The shape to cut out.
        packed: Axis and number of parts.
    """
    if packed is None:
        return tensor[tuple(slice(size) for size in shape)]
    axis, parts = packed
    split = tensor.unflatten(axis, (parts, -1))  # type: ignore[no-untyped-call]
    sizes = [*shape[:axis], parts, shape[axis] // parts, *shape[axis + 1 :]]
    cut: Tensor = split[tuple(slice(size) for size in sizes)].flatten(axis, axis + 1)
    return cut


def subnet_recipe(recipe: Recipe, choice: Choice) -> Recipe:
    """The recipe of one network of the space."""
    return replace(recipe, model=replace(recipe.model, options={**recipe.model.options, **choice.options}))


@dataclass(frozen=True)
class Sandwich:
    """The largest network learns from labels and teachers; the smallest and two others from the largest.

    Sandwich training with in-place distillation (Yu & Huang, 2019), stage 2 of LightHuBERT's recipe.
    """

    space: Space
    objective: Distilling

    def __call__(self, module: nn.Module, batch: Batch) -> Tensor:
        """The loss to go down."""
        assert isinstance(module, Supernet)
        logits = module(batch.x)
        loss = self.objective.loss(logits, batch)
        taught = logits.detach().softmax(1)
        for choice in (self.space.smallest, *(self.space.random() for _ in range(_RANDOM_SUBNETS))):
            loss = loss + F.cross_entropy(module(batch.x, choice), taught)
        return loss


def _is_statistic(name: str) -> bool:
    return name.rsplit(".", 1)[-1] in ("running_mean", "running_var", "num_batches_tracked")
