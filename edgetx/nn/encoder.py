"""The encoder: tokens, residual blocks with any mixers, one vector, one linear layer. Most architectures are one."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edgetx.nn.block import NORM_PLACES, Block, Scaled
from edgetx.nn.embedding import EMBEDDINGS, ConvStem
from edgetx.nn.feed_forward import FEED_FORWARDS
from edgetx.nn.layers import ACTIVATIONS, NORMS, SpikingNorm
from edgetx.nn.mixers import MixerInput, make_mixer
from edgetx.nn.patchout import Patchout
from edgetx.nn.pooling import POOLINGS, pool

_MIXER_THRESHOLD = 0.5  # of the neurons in front of a mixer, where norms spike


@dataclass(frozen=True)
class EncoderOptions:
    """Hyper-parameters; the defaults are what the published keyword transformers share."""

    width: int = 64
    heads: int = 1
    head_size: int = 0  # features of each head; 0: the heads share the width
    layers: int = 12
    mlp: int = 128  # hidden width of the feed-forward part
    layer_heads: tuple[int, ...] = ()  # one per layer, in place of heads
    layer_mlp: tuple[int, ...] = ()  # one per layer, in place of mlp
    mixer: tuple[str, ...] = ("full",)  # of all layers, or one per layer; see edgetx.nn.mixers
    feed_forward: str = "plain"  # plain | normed | spiking | none
    causal: bool = False  # look back only
    stem: tuple[int, ...] = ()  # channels of convolutions in front, each halving the features
    patch_frames: int = 1  # frames that become one token
    patch_features: int = 0  # features of a frame that become one token; 0: all
    embedding: str = "linear"  # linear | conv | conv_norm | spiking_conv
    positions: str = "learned"  # learned | none
    pooling: str = "class_token"  # class_token | mean | statistics
    norm: str = "layer"  # layer | rms | batch | spike | none
    norm_place: str = "post"  # post: norm(x + f(x)) | pre: x + f(norm(x)) | branch: x + norm(f(x))
    qkv_bias: bool = False
    activation: str = "gelu"  # gelu | relu | silu | hard_swish
    layer_scale: float = 0.0  # first value of a learned factor per feature on each branch; 0: none
    dropout: float = 0.0
    patchout: int = 0  # tokens left out at random while training
    patchout_frames: int = 0  # rows of patches left out while training: all tokens of some frames
    patchout_features: int = 0  # columns of patches left out while training: some features of all frames

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise ValueError(problem)

    @property
    def all_heads(self) -> tuple[int, ...]:
        """Heads of each layer."""
        return self.layer_heads or (self.heads,) * self.layers

    @property
    def all_mlp(self) -> tuple[int, ...]:
        """Hidden width of the feed-forward part of each layer."""
        return self.layer_mlp or (self.mlp,) * self.layers

    def _problems(self) -> Iterator[str]:
        choices = (
            ("feed_forward", FEED_FORWARDS),
            ("embedding", EMBEDDINGS),
            ("positions", ("learned", "none")),
            ("pooling", POOLINGS),
            ("norm", NORMS),
            ("norm_place", NORM_PLACES),
            ("activation", ACTIVATIONS),
        )
        for name, known in choices:
            if getattr(self, name) not in known:
                yield f"{name} '{getattr(self, name)}' is not one of {', '.join(known)}"
        if min(self.width, self.heads, self.layers, self.mlp, *self.stem) < 1:
            yield "width, heads, layers, mlp and the channels of the stem must be at least 1"
        if self.head_size < 0 or (not self.head_size and any(self.width % heads for heads in self.all_heads)):
            yield f"width {self.width} is not divisible by heads {self.heads}: set head_size"
        for name in ("layer_heads", "layer_mlp"):
            if getattr(self, name) and (len(getattr(self, name)) != self.layers or min(getattr(self, name)) < 1):
                yield f"{name} must give one positive number for each of the {self.layers} layers"
        if len(self.mixer) not in (1, self.layers):
            yield f"{len(self.mixer)} mixers for {self.layers} layers: name one, or one per layer"
        if max(self.patchout, self.patchout_frames, self.patchout_features) and set(self.mixer) != {"full"}:
            yield "patchout leaves out tokens, which only the mixer 'full' can do without"
        if self.causal and self.pooling == "class_token":
            yield "a class token, which comes first, sees nothing if causal: choose another pooling"


class Encoder(nn.Module):
    """Patches of frames, an embedding, positions, residual blocks, pooling, one linear layer.

    Where a published model applies its last layer to every frame and averages the logits, the mean comes first here:
    the same logits for less work.

    Args:
        input_shape: Frames and features of the input.
        classes: Number of logits.
        options: Hyper-parameters.

    Raises:
        ValueError: If patches or mixers do not fit the input.
    """

    def __init__(self, input_shape: tuple[int, int], classes: int, options: EncoderOptions) -> None:
        super().__init__()
        frames, features = input_shape
        width = options.width
        self.stem = ConvStem(features, options.stem, options.causal) if options.stem else None
        features = features if self.stem is None else self.stem.features
        self.patch = (options.patch_frames, options.patch_features or features)
        self.grid = _grid((frames, features), self.patch)
        self.embedding = EMBEDDINGS[options.embedding](self.patch[0] * self.patch[1], width, options.causal)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width)) if options.pooling == "class_token" else None
        tokens = self.grid[0] * self.grid[1] + (self.class_token is not None)
        self.positions = nn.Parameter(torch.zeros(1, tokens, width)) if options.positions == "learned" else None
        self.blocks = nn.Sequential(*_blocks(tokens, options))
        self.norm = NORMS[options.norm](width) if options.norm_place == "pre" else nn.Identity()
        self.pooling = options.pooling
        self.features, self.head_width = input_shape[1], width
        self.looks_back_only = options.causal and options.positions == "none" and self.grid[1] == 1
        self.ignores_order = set(options.mixer) == {"full"} and not options.causal
        left_out = options.patchout, options.patchout_frames, options.patchout_features
        self.patchout = Patchout(self.grid, *left_out) if any(left_out) else None
        self.head = nn.Linear(width * POOLINGS[options.pooling], classes)
        if self.positions is not None:
            nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of inputs, batch × frames × features.

        An encoder that only looks back also takes longer inputs, and answers for the clip at their end.
        """
        if self.stem is not None:
            x = self.stem(x)
        placed = self.placed(self.embedding(self.patches(x)))
        if self.training and self.patchout is not None:
            placed = self.patchout(placed)
        seen = self.contextualize(placed)
        if self.looks_back_only and seen.shape[1] > self.grid[0]:
            seen = seen[:, -self.grid[0] :]
        logits: Tensor = self.head(pool(seen, self.pooling))
        return logits

    def packing(self) -> dict[str, tuple[int, int]]:
        """Axis and number of equal parts of each parameter along whose axis several sets of features lie end to end.

        A narrower encoder's parameter is the beginning of each part, not of the whole.
        """
        packed = {name: (0, 3) for name, _ in self.named_parameters() if ".mixer.qkv." in name}
        if self.stem is not None and isinstance(self.embedding, nn.Linear):
            packed["embedding.weight"] = (1, self.embedding.in_features // self.stem.channels)
        if POOLINGS[self.pooling] > 1:
            packed["head.weight"] = (1, POOLINGS[self.pooling])
        return packed

    def tokens(self, x: Tensor) -> Tensor:
        """Embedded patches of inputs, without positions; batch × patches × width."""
        embedded: Tensor = self.embedding(self.patches(x if self.stem is None else self.stem(x)))
        return embedded

    def placed(self, tokens: Tensor, positions: bool = True) -> Tensor:
        """Tokens behind the class token, if there is one, with positions, if there are any and they are wanted."""
        if self.class_token is not None:
            tokens = torch.cat((self.class_token.expand(len(tokens), -1, -1), tokens), dim=1)
        return tokens + self.positions if positions and self.positions is not None else tokens

    def contextualize(self, placed: Tensor) -> Tensor:
        """Placed tokens through all blocks."""
        seen: Tensor = self.norm(self.blocks(placed))
        return seen

    def patches(self, x: Tensor) -> Tensor:
        """One row per patch, those of the same frames next to each other."""
        (rows, columns), (frames, features) = self.grid, self.patch
        if self.looks_back_only:
            rows = x.shape[1] // frames
        x = x[:, : rows * frames, : columns * features]
        if columns > 1:
            x = x.reshape(len(x), rows, frames, columns, features).transpose(2, 3)
        return x.reshape(len(x), rows * columns, frames * features)


def _grid(input_shape: tuple[int, int], patch: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of whole patches."""
    for name, size, given in zip(("frames", "features"), patch, input_shape, strict=True):
        if not 0 < size <= given:
            raise ValueError(f"patch_{name} {size} does not fit the input's {given} {name}")
    return input_shape[0] // patch[0], input_shape[1] // patch[1]


def _blocks(tokens: int, options: EncoderOptions) -> Iterator[Block]:
    names = options.mixer if len(options.mixer) > 1 else options.mixer * options.layers
    for name, heads, hidden in zip(names, options.all_heads, options.all_mlp, strict=True):
        given = MixerInput(tokens, options.width, heads, options.qkv_bias, options.causal, options.head_size)
        mixer = make_mixer(name, given)
        mlp = FEED_FORWARDS[options.feed_forward](options.width, hidden, options.activation)
        branches = (_scaled(mixer, options), _scaled(mlp, options))
        yield Block(*branches, _norms(options), options.norm_place, options.dropout)


def _scaled(branch: nn.Module | None, options: EncoderOptions) -> nn.Module | None:
    if branch is None or not options.layer_scale:
        return branch
    return Scaled(branch, options.width, options.layer_scale)


def _norms(options: EncoderOptions) -> tuple[nn.Module, nn.Module]:
    """For the mixer and for the feed-forward part."""
    first, second = (NORMS[options.norm](options.width) for _ in range(2))
    if isinstance(first, SpikingNorm):
        first.threshold = _MIXER_THRESHOLD
    return first, second
