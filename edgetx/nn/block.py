"""The residual block: the one shape that every mixer is used in."""

import torch
from torch import Tensor, nn

NORM_PLACES = ("post", "pre", "branch")
"""post: norm(x + f(x)) | pre: x + f(norm(x)) | branch: x + norm(f(x))."""


class Block(nn.Module):
    """A mixer over tokens, then a perceptron over features, each with a norm and a residual connection.

    Either of the two may be left out. All take and give batch × tokens × width.
    """

    def __init__(
        self, mixer: nn.Module | None, mlp: nn.Module | None, norms: tuple[nn.Module, nn.Module], norm_place: str,
        dropout: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.norm_place = norm_place
        self.mixer, self.mlp = mixer, mlp
        self.norm1 = None if mixer is None else norms[0]
        self.norm2 = None if mlp is None else norms[1]
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        for branch, norm in ((self.mixer, self.norm1), (self.mlp, self.norm2)):
            if branch is not None and norm is not None:
                x = self._residual(x, branch, norm)
        return x

    def _residual(self, x: Tensor, branch: nn.Module, norm: nn.Module) -> Tensor:
        if self.norm_place == "pre":
            x = x + self.dropout(branch(norm(x)))
        elif self.norm_place == "branch":
            x = x + self.dropout(norm(branch(x)))
        else:
            x = norm(x + self.dropout(branch(x)))
        return x


class Scaled(nn.Module):
    """A branch times one learned factor per feature, small at first (LayerScale, Touvron et al., 2021)."""

    def __init__(self, branch: nn.Module, width: int, initial: float) -> None:
        super().__init__()
        self.branch, self.scale = branch, nn.Parameter(torch.full((width,), initial))

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        scaled: Tensor = self.scale * self.branch(x)
        return scaled
