"""Layers of a model, as the firmware holds them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """A layer of a model, computed by one function of the firmware.

    Attributes:
        symbol: The function.
        name: Name of the layer.
        op: Its op.
        macs: Its multiply-accumulates.
    """

    symbol: str
    name: str
    op: str = ""
    macs: int = 0
