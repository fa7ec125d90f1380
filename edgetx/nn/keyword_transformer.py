"""The Keyword Transformer (Berg et al., 2021) and its smaller relatives."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edgetx.nn.layers import ACTIVATIONS, NORMS, Attention


@dataclass(frozen=True)
class KeywordTransformerOptions:
    """Hyper-parameters; the defaults are what the published keyword transformers share."""

    width: int = 64
    heads: int = 1
    layers: int = 12
    mlp: int = 128
    patch_frames: int = 1  # input frames that one token sees
    patch_stride: int = 1  # input frames from one token to the next
    pooling: str = "class_token"  # class_token | mean
    norm: str = "layer"  # layer | rms | batch
    norm_place: str = "post"  # post: norm(x + f(x)) | pre: x + f(norm(x)) | branch: x + norm(f(x))
    qkv_bias: bool = False
    activation: str = "gelu"  # gelu | relu | silu | hard_swish
    dropout: float = 0.0

    def __post_init__(self) -> None:
        choices = (
            ("pooling", ("class_token", "mean")),
            ("norm", NORMS),
            ("norm_place", ("post", "pre", "branch")),
            ("activation", ACTIVATIONS),
        )
        for name, known in choices:
            if getattr(self, name) not in known:
                raise ValueError(f"{name} '{getattr(self, name)}' is not one of {', '.join(known)}")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not divisible by heads {self.heads}")


class KeywordTransformer(nn.Module):
    """Patches of frames, learned positions, encoder blocks, one linear layer on the class token or the mean.

    Args:
        input_shape: Frames and features of the input.
        classes: Number of logits.
        options: Hyper-parameters.

    Raises:
        ValueError: If a patch is longer than the input.
    """

    def __init__(self, input_shape: tuple[int, int], classes: int, options: KeywordTransformerOptions) -> None:
        super().__init__()
        frames, features = input_shape
        width, patch, stride = options.width, options.patch_frames, options.patch_stride
        if patch > frames:
            raise ValueError(f"patch_frames {patch} exceeds the input's {frames} frames")
        tokens = 1 + (frames - patch) // stride
        self.embedding = nn.Conv1d(features, width, patch, stride)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width)) if options.pooling == "class_token" else None
        self.positions = nn.Parameter(torch.zeros(1, tokens + (self.class_token is not None), width))
        self.blocks = nn.Sequential(*(Block(options) for _ in range(options.layers)))
        self.norm = NORMS[options.norm](width) if options.norm_place == "pre" else nn.Identity()
        self.head = nn.Linear(width, classes)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of inputs, batch × frames × features."""
        x = self.embedding(x.transpose(1, 2)).transpose(1, 2)
        if self.class_token is not None:
            x = torch.cat((self.class_token.expand(len(x), -1, -1), x), dim=1)
        x = self.norm(self.blocks(x + self.positions))
        x = x.mean(dim=1) if self.class_token is None else x[:, 0]
        logits: Tensor = self.head(x)
        return logits


class Block(nn.Module):
    """Attention and a two-layer perceptron, each with a residual connection and a norm."""

    def __init__(self, options: KeywordTransformerOptions) -> None:
        super().__init__()
        width, norm = options.width, NORMS[options.norm]
        self.norm_place = options.norm_place
        self.attention = Attention(width, options.heads, options.qkv_bias)
        self.mlp = nn.Sequential(
            nn.Linear(width, options.mlp), ACTIVATIONS[options.activation](), nn.Linear(options.mlp, width)
        )
        self.norm1, self.norm2 = norm(width), norm(width)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        x = self._residual(x, self.attention, self.norm1)
        return self._residual(x, self.mlp, self.norm2)

    def _residual(self, x: Tensor, branch: nn.Module, norm: nn.Module) -> Tensor:
        if self.norm_place == "pre":
            return x + self.dropout(branch(norm(x)))
        if self.norm_place == "branch":
            return x + self.dropout(norm(branch(x)))
        normed: Tensor = norm(x + self.dropout(branch(x)))
        return normed
