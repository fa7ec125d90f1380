"""Layers that architectures share, and the norms and activations that recipes name."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.nn.torch_ops import lif


class TokenBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of every feature over batch and tokens; folds into the next linear layer."""

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × features, in and out."""
        return super().forward(x.flatten(0, 1)).view(x.shape)


class SpikingNorm(nn.Module):
    """Batch normalisation, then a leaky integrate-and-fire neuron per feature: zeros and ones."""

    def __init__(self, width: int, threshold: float = 1.0, tau: float = 2.0) -> None:
        super().__init__()
        self.norm = TokenBatchNorm(width)
        self.threshold, self.tau = threshold, tau

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × features, in and out."""
        spikes: Tensor = lif(self.norm(x), self.threshold, self.tau)
        return spikes


class TokenConv(nn.Conv1d):
    """Convolution along the tokens, as many out as in; `causal` looks back only."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, causal: bool, dilation: int = 1, groups: int = 1,
        bias: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(inputs, outputs, kernel, dilation=dilation, groups=groups, bias=bias)
        span = (kernel - 1) * dilation
        self.before = span if causal else span // 2
        self.after = span - self.before

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × inputs to batch × tokens × outputs."""
        padded = F.pad(x.transpose(1, 2), (self.before, self.after))
        return super().forward(padded).transpose(1, 2)


NORMS: dict[str, Callable[[int], nn.Module]] = {
    "layer": lambda width: nn.LayerNorm(width, eps=1e-6),
    "rms": lambda width: nn.RMSNorm(width, eps=1e-6),
    "batch": TokenBatchNorm,
    "spike": SpikingNorm,
    "none": lambda width: nn.Identity(),
}

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "hard_swish": nn.Hardswish,
}
