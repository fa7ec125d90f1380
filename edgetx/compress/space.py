"""The networks among which a search chooses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch

from edgetx.errors import ConfigError
from edgetx.recipe import Recipe

PER_LAYER = "layer_"
"""Begins the options that have one value per layer, each drawn on its own."""


@dataclass(frozen=True)
class Choice:
    """Options of one network, in a form that can be a key."""

    items: tuple[tuple[str, int | tuple[int, ...]], ...]

    @property
    def options(self) -> dict[str, object]:
        """The options as a recipe spells them."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self.items}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.options.items())


@dataclass(frozen=True)
class Space:
    """Values by the name of the option, in ascending order, and the number of layers of the largest network."""

    values: Mapping[str, tuple[int, ...]]
    layers: int

    @classmethod
    def of(cls, recipe: Recipe) -> "Space":
        """The space of a recipe.

        Raises:
            ConfigError: If there is none, or it holds a value larger than that of the model.
        """
        where = f"{recipe.name}.search.space"
        if not recipe.search.space:
            raise ConfigError("nothing to choose among", where=where, hint="name options of the model and their values")
        own = recipe.model.options
        values = {name: tuple(sorted(set(given))) for name, given in recipe.search.space.items()}
        layers = own.get("layers")
        if not isinstance(layers, int):
            where = f"{recipe.name}.model.options.layers"
            raise ConfigError("the model does not say how many layers it has", where=where, hint="layers = 4")
        for name, given in values.items():
            mine = own.get(name.removeprefix(PER_LAYER))
            if not given or not isinstance(mine, int) or max(given) > mine or min(given) < 1:
                hint = "model.options holds the largest network, and the space what is no larger"
                raise ConfigError(f"values {list(given)} of '{name}', the model has {mine}", where=where, hint=hint)
        return cls(values, layers)

    @property
    def smallest(self) -> Choice:
        """The network of the smallest values."""
        return self.pick(lambda _, values: values[0])

    @property
    def largest(self) -> Choice:
        """The network of the largest values."""
        return self.pick(lambda _, values: values[-1])

    def random(self) -> Choice:
        """Any network, by torch's generator."""
        return self.pick(lambda _, values: values[int(torch.randint(len(values), ()))])

    def pick(self, choose: Callable[[str, Sequence[int]], int]) -> Choice:
        """A network by a function that chooses a value for each name; options per layer are asked once per layer."""
        whole = {name: choose(name, values) for name, values in self.values.items() if not name.startswith(PER_LAYER)}
        layers = whole.get("layers", self.layers)
        for name, values in self.values.items():
            if name.startswith(PER_LAYER):
                whole[name] = tuple(choose(f"{name}.{i}", values) for i in range(layers))  # type: ignore[assignment]
        return Choice(tuple(whole.items()))
