"""Encoders as users write them, in many styles."""

from functools import cache

import torch
from torch import nn
from torch.nn import functional as F

from edgetx.frontends.torch import export_module

FRAMES, FEATURES, WIDTH, CLASSES = 12, 10, 16, 5


class LibraryEncoder(nn.Module):
    """torch's own encoder layers."""

    def __init__(self, layers=2, heads=2, norm_first=True, activation="gelu", bias=True, class_token=True):
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            WIDTH, heads, 2 * WIDTH, activation=activation, batch_first=True, norm_first=norm_first, bias=bias
        )
        self.embed = nn.Linear(FEATURES, WIDTH)
        self.token = nn.Parameter(torch.randn(1, 1, WIDTH)) if class_token else None
        self.position = nn.Parameter(torch.randn(1, FRAMES + class_token, WIDTH))
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x = self.embed(x)
        if self.token is not None:
            x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1)
        x = self.encoder(x + self.position)
        return self.head(x[:, 0] if self.token is not None else x.mean(1))


class HandAttention(nn.Module):
    """Attention spelled out; `style` chooses among the usual spellings."""

    def __init__(self, heads, style):
        super().__init__()
        self.heads, self.style = heads, style
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=style != "interleaved")
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        n, t, _ = x.shape
        size = WIDTH // self.heads
        if self.style == "interleaved":  # heads outside, parts inside
            q, k, v = self.qkv(x).view(n, t, self.heads, 3, size).permute(3, 0, 2, 1, 4).unbind(0)
        elif self.style == "chunk":
            q, k, v = (part.view(n, t, self.heads, size).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        else:
            q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, size).permute(2, 0, 3, 1, 4)
        if self.style == "scaled-query":
            weights = torch.softmax((q * size**-0.5) @ k.transpose(-2, -1), -1)
        elif self.style == "fused":
            return self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, WIDTH))
        else:
            weights = torch.softmax(q @ k.transpose(-2, -1) / size**0.5, -1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))


class HandEncoder(nn.Module):
    """Post-norm blocks around hand-written attention, mean pooling."""

    def __init__(self, heads=2, style="plain", norm=nn.LayerNorm, activation=nn.GELU):
        super().__init__()
        self.embed = nn.Linear(FEATURES, WIDTH)
        self.attention = HandAttention(heads, style)
        self.norms = nn.ModuleList([norm(WIDTH), norm(WIDTH)])
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 24), activation(), nn.Linear(24, WIDTH))
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x = self.embed(x)
        x = self.norms[0](x + self.attention(x))
        x = self.norms[1](x + self.mlp(x))
        return self.head(x.mean(dim=1))


class ConvolutionalStem(nn.Module):
    """One-dimensional convolutions with batch normalization, then attention."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv1d(FEATURES, WIDTH, 3, padding=1),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
            nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1, groups=WIDTH),
            nn.BatchNorm1d(WIDTH),
            nn.Hardswish(),
        )
        self.attention = HandAttention(2, "plain")
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x):
        x = self.stem(x.transpose(1, 2)).transpose(1, 2)
        return self.head((x + self.attention(x)).mean(1))


class SmallCnn(nn.Module):
    """Two-dimensional convolutions over the spectrogram as an image."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, (4, 3), stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU6(),
            nn.Conv2d(8, 12, 1),
            nn.SiLU(),
            nn.AvgPool2d(2),
        )
        self.head = nn.Linear(12 * 3 * 2, CLASSES)

    def forward(self, x):
        return torch.softmax(self.head(self.features(x.unsqueeze(1)).flatten(1)), -1)


def build(make, seed=0):
    """A model in eval mode whose normalizations are not trivial, and an example input."""
    torch.manual_seed(seed)
    model = make().eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.LayerNorm | nn.RMSNorm | nn.BatchNorm1d | nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                if getattr(module, "bias", None) is not None:
                    module.bias.uniform_(-0.3, 0.3)
            if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
                module.running_mean.uniform_(-0.5, 0.5)
                module.running_var.uniform_(0.5, 2.0)
    return model, torch.randn(1, FRAMES, FEATURES)


ENCODERS = {
    "pre-norm class token": lambda: LibraryEncoder(),
    "post-norm mean relu": lambda: LibraryEncoder(norm_first=False, activation="relu", class_token=False),
    "one head no bias": lambda: LibraryEncoder(layers=1, heads=1, bias=False),
    "four heads six layers": lambda: LibraryEncoder(layers=6, heads=4),
    "hand plain": lambda: HandEncoder(),
    "hand chunk": lambda: HandEncoder(style="chunk", activation=nn.SiLU),
    "hand interleaved": lambda: HandEncoder(heads=4, style="interleaved", norm=nn.RMSNorm),
    "hand scaled query": lambda: HandEncoder(style="scaled-query", activation=nn.Hardswish),
    "hand fused one head": lambda: HandEncoder(heads=1, style="fused", activation=nn.Tanh),
    "convolutional stem": ConvolutionalStem,
    "small cnn": SmallCnn,
}


@cache
def imported(name):
    """The float graph of an encoder as imported, an input, and what torch computes from it."""
    model, x = build(ENCODERS[name])
    return export_module(model, x, "model"), x.numpy(), model(x).detach().numpy()
