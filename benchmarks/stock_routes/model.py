"""The keyword transformer that all routes convert, as a torch user writes it, and its random weights and inputs."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from variants import CALIBRATION, CLASSES, EPSILON, FEATURES, LAYERS, MLP, TEST, TOKENS, WIDTH, Variant


class Attention(nn.Module):
    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        mixed: Tensor = self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return mixed

    def split(self, x: Tensor) -> Tensor:
        return x.view(x.shape[0], x.shape[1], self.heads, -1).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.pre_norm = variant.pre_norm
        self.attention = Attention(variant.heads)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, MLP), nn.GELU(), nn.Linear(MLP, WIDTH))
        self.norm1, self.norm2 = (nn.LayerNorm(WIDTH, eps=EPSILON) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        if self.pre_norm:
            x = x + self.attention(self.norm1(x))
            return x + self.mlp(self.norm2(x))
        x = self.norm1(x + self.attention(x))
        normed: Tensor = self.norm2(x + self.mlp(x))
        return normed


class KeywordTransformer(nn.Module):
    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.embedding = nn.Linear(FEATURES, WIDTH)
        self.class_token = nn.Parameter(torch.randn(1, 1, WIDTH)) if variant.class_token else None
        self.positions = nn.Parameter(torch.randn(1, TOKENS + variant.class_token, WIDTH))
        self.blocks = nn.ModuleList(Block(variant) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON) if variant.pre_norm else nn.Identity()
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embedding(x)
        if self.class_token is not None:
            x = torch.cat((self.class_token.expand(x.shape[0], -1, -1), x), 1)
        x = x + self.positions
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        logits: Tensor = self.head(x.mean(1) if self.class_token is None else x[:, 0])
        return logits


def build(variant: Variant, seed: int = 0) -> KeywordTransformer:
    """torch's own initialization; token and positions are normal."""
    torch.manual_seed(seed)
    return KeywordTransformer(variant).eval()


def inputs(seed: int = 1) -> tuple[Tensor, Tensor]:
    """Normal inputs for calibration and for the test."""
    generator = torch.Generator().manual_seed(seed)
    shape = (CALIBRATION + TEST, TOKENS, FEATURES)
    x = torch.randn(*shape, generator=generator)
    return x[:CALIBRATION], x[CALIBRATION:]
