"""The Keyword Transformer (Berg et al., 2021) and its smaller relatives."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edgetx.nn.layers import ACTIVATIONS, NORMS, Attention, ConvStem


@dataclass(frozen=True)
class KeywordTransformerOptions:
    """Hyper-parameters; the defaults are what the published keyword transformers share."""

    width: int = 64
    heads: int = 1
    layers: int = 12
    mlp: int = 128
    stem: tuple[int, ...] = ()  # channels of convolutions in front, each halving the features
    patch_frames: int = 1  # frames that become one token
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
        if min(self.width, self.heads, self.layers, self.mlp, *self.stem) < 1:
            raise ValueError("width, heads, layers, mlp and the channels of the stem must be at least 1")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not divisible by heads {self.heads}")


class KeywordTransformer(nn.Module):
    """Patches of frames, learned positions, encoder blocks, one linear layer on the class token or the mean.

    A convolutional stem, which the published models do not have, sees neighbouring frames and frequencies.

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
        width, self.patch_frames = options.width, options.patch_frames
        if not 0 < self.patch_frames <= frames:
            raise ValueError(f"patch_frames {self.patch_frames} does not fit the input's {frames} frames")
        tokens = frames // self.patch_frames
        self.stem = ConvStem(features, options.stem) if options.stem else None
        if self.stem is not None:
            features = self.stem.features
        self.embedding = nn.Linear(self.patch_frames * features, width)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width)) if options.pooling == "class_token" else None
        self.positions = nn.Parameter(torch.zeros(1, tokens + (self.class_token is not None), width))
        self.blocks = nn.Sequential(*(Block(options) for _ in range(options.layers)))
        self.norm = NORMS[options.norm](width) if options.norm_place == "pre" else nn.Identity()
        self.head = nn.Linear(width, classes)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of inputs, batch × frames × features."""
        if self.stem is not None:
            x = self.stem(x)
        x = self.embedding(self._patches(x))
        if self.class_token is not None:
            x = torch.cat((self.class_token.expand(len(x), -1, -1), x), dim=1)
        x = self.norm(self.blocks(x + self.positions))
        x = x.mean(dim=1) if self.class_token is None else x[:, 0]
        logits: Tensor = self.head(x)
        return logits

    def _patches(self, x: Tensor) -> Tensor:
        if self.patch_frames == 1:
            return x
        tokens = x.shape[1] // self.patch_frames
        return x[:, : tokens * self.patch_frames].reshape(len(x), tokens, -1)


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
            x = x + self.dropout(branch(norm(x)))
        elif self.norm_place == "branch":
            x = x + self.dropout(norm(branch(x)))
        else:
            x = norm(x + self.dropout(branch(x)))
        return x
