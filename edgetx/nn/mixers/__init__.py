"""Mixers: what lets tokens see each other. All take and give batch × tokens × width; any fits into a `Block`."""

import inspect
import re
from collections.abc import Callable

from torch import nn

from edgetx.config import did_you_mean
from edgetx.nn.mixers.attention import Attention, BlockAttention, WindowAttention
from edgetx.nn.mixers.combiner import CombinerAttention
from edgetx.nn.mixers.gated_linear_attention import GatedLinearAttention
from edgetx.nn.mixers.large_kernel import LargeKernel
from edgetx.nn.mixers.lmu import Lmu, SpikingLmu
from edgetx.nn.mixers.mixer import MixerInput
from edgetx.nn.mixers.pooling import Pooling
from edgetx.nn.mixers.relative_attention import RelativeAttention
from edgetx.nn.mixers.selective_ssm import SelectiveSsm

__all__ = ["MIXERS", "MixerInput", "make_mixer"]

MIXERS: dict[str, Callable[..., nn.Module | None]] = {
    "full": Attention,
    "window": WindowAttention,
    "block": BlockAttention,
    "relative": RelativeAttention,
    "combiner": CombinerAttention,
    "pool": Pooling,
    "lmu": Lmu,
    "spiking_lmu": SpikingLmu,
    "gated_linear": GatedLinearAttention,
    "selective_ssm": SelectiveSsm,
    "large_kernel": LargeKernel,
    "none": lambda given: None,
}
"""By the name in a recipe; the numbers behind it in brackets are the arguments after the first."""


def make_mixer(text: str, given: MixerInput) -> nn.Module | None:
    """The mixer that a recipe writes as `full`, `window(8)` or `lmu(64, 128)`; None for `none`.

    Raises:
        ValueError: If there is no such mixer, or it does not fit the tokens.
    """
    match = re.fullmatch(r"(\w+)(?:\(([\d, ]+)\))?", text)
    name, numbers = match.groups(default="") if match else (text, "")
    if name not in MIXERS:
        raise ValueError(f"unknown mixer '{text}'; {did_you_mean(name, MIXERS)}")
    arguments = [int(number) for number in numbers.split(",") if number.strip()]
    try:
        inspect.signature(MIXERS[name]).bind(given, *arguments)
    except TypeError as problem:
        raise ValueError(f"mixer '{text}': {problem}") from problem
    return MIXERS[name](given, *arguments)
