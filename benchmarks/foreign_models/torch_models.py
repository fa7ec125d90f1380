"""The PyTorch models, with random weights: what people build for audio and TinyML. A builder gives module and input."""

import itertools
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

BUILDERS: dict[str, Callable[[], tuple[nn.Module, tuple[torch.Tensor, ...]]]] = {}


def model(*shape, states=()):
    """Register a class of a module that takes this shape, with the batch, and further inputs of those of `states`."""

    def register(cls):
        BUILDERS[cls.__name__.lower()] = lambda: (cls(), tuple(torch.randn(s) for s in (shape, *states)))
        return cls

    return register


def conv_bn(a, b, size, stride=1, groups=1, activation=nn.ReLU):
    padding = size // 2 if isinstance(size, int) else tuple(n // 2 for n in size)
    conv = nn.Conv2d(a, b, size, stride, padding, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(b), activation())


class Sequence(nn.Sequential):
    """A sequence whose parts are given by `parts`."""

    def __init__(self):
        super().__init__(*self.parts())


@model(1, 1, 49, 10)
class DsCnn(Sequence):
    def parts(self):
        yield conv_bn(1, 32, (10, 4), 2)
        for _ in range(3):
            yield from (conv_bn(32, 32, 3, groups=32), conv_bn(32, 32, 1))
        yield from (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 12))


class Residual(nn.Module):
    def __init__(self, a, b, stride):
        super().__init__()
        self.body = nn.Sequential(
            conv_bn(a, b, 3, stride), nn.Conv2d(b, b, 3, padding=1, bias=False), nn.BatchNorm2d(b)
        )
        self.skip = nn.Conv2d(a, b, 1, stride) if stride > 1 or a != b else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.skip(x))


@model(1, 3, 32, 32)
class ResNet8(Sequence):
    def parts(self):
        yield conv_bn(3, 16, 3)
        yield from (Residual(16, 16, 1), Residual(16, 32, 2), Residual(32, 64, 2))
        yield from (nn.AvgPool2d(8), nn.Flatten(), nn.Linear(64, 10), nn.Softmax(-1))


class SqueezeExcite(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(n, n // 4, 1), nn.ReLU(), nn.Conv2d(n // 4, n, 1),
                                 nn.Hardsigmoid())  # fmt: skip

    def forward(self, x):
        return x * self.net(x)


@model(1, 1, 40, 49)
class MobileNetV3Like(Sequence):
    def parts(self):
        yield conv_bn(1, 16, 3, 2, activation=nn.Hardswish)
        yield from (conv_bn(16, 48, 1), conv_bn(48, 48, 3, 2, 48), SqueezeExcite(48))
        yield from (nn.Conv2d(48, 24, 1), conv_bn(24, 64, 1, activation=nn.Hardswish))
        yield from (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 12))


@model(1, 40, 50)
class TcResNet(Sequence):
    class Block(nn.Module):
        def __init__(self, a, b):
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv1d(a, b, 9, 2, 4, bias=False), nn.BatchNorm1d(b), nn.ReLU(),
                nn.Conv1d(b, b, 9, 1, 4, bias=False), nn.BatchNorm1d(b),
            )  # fmt: skip
            self.skip = nn.Sequential(nn.Conv1d(a, b, 1, 2, bias=False), nn.BatchNorm1d(b), nn.ReLU())

        def forward(self, x):
            return F.relu(self.body(x) + self.skip(x))

    def parts(self):
        yield nn.Conv1d(40, 16, 3, padding=1, bias=False)
        yield from (self.Block(16, 24), self.Block(24, 32), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 12))


class SubSpectralNorm(nn.Module):
    def __init__(self, channels, bands):
        super().__init__()
        self.bands, self.norm = bands, nn.BatchNorm2d(channels * bands)

    def forward(self, x):
        n, c, f, t = x.shape
        return self.norm(x.view(n, c * self.bands, f // self.bands, t)).view(n, c, f, t)


@model(1, 1, 40, 50)
class BcResNet(nn.Module):
    class Block(nn.Module):
        def __init__(self, n, dilation):
            super().__init__()
            self.f = nn.Sequential(nn.Conv2d(n, n, (3, 1), padding=(1, 0), groups=n), SubSpectralNorm(n, 5))
            self.t = nn.Sequential(
                nn.Conv2d(n, n, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=n), nn.BatchNorm2d(n),
                nn.SiLU(), nn.Conv2d(n, n, 1), nn.Dropout2d(0.1),
            )  # fmt: skip

        def forward(self, x):
            y = self.f(x)
            return F.relu(x + y + self.t(y.mean(2, keepdim=True)))

    def __init__(self):
        super().__init__()
        self.head = conv_bn(1, 16, 5, (2, 1))
        self.blocks = nn.Sequential(self.Block(16, 1), self.Block(16, 2))
        self.tail = nn.Conv2d(16, 12, 1)

    def forward(self, x):
        x = self.blocks(self.head(x)).mean(2, keepdim=True)
        return self.tail(x.mean(-1, keepdim=True)).view(-1, 12)


@model(1, 1, 4000)
class M5(Sequence):
    def parts(self):
        for a, b, size, stride in ((1, 16, 80, 16), (16, 16, 3, 1), (16, 32, 3, 1)):
            yield from (nn.Conv1d(a, b, size, stride), nn.BatchNorm1d(b), nn.ReLU(), nn.MaxPool1d(4))
        yield from (nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(32, 10))


@model(1, 20, 40)
class CrnnGru(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, (1, 2), 1)
        self.gru = nn.GRU(160, 16, batch_first=True, bidirectional=True)
        self.head = nn.Linear(32, 5)

    def forward(self, x):
        x = F.relu(self.conv(x.unsqueeze(1))).permute(0, 2, 1, 3).flatten(2)
        return self.head(self.gru(x)[0][:, -1])


@model(1, 25, 13)
class LstmClassifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(13, 16, num_layers=2, batch_first=True), nn.Linear(16, 5)

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.head(h[-1])


@model(1, 49, 13)
class GruLong(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.head = nn.GRU(13, 16, batch_first=True), nn.Linear(16, 5)

    def forward(self, x):
        return self.head(self.gru(x)[1].squeeze(0))


@model(1, 12, 8)
class ElmanRnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.head = nn.RNN(8, 16, batch_first=True), nn.Linear(16, 3)

    def forward(self, x):
        return self.head(self.rnn(x)[0].mean(1))


@model(1, 16, 20)
class LstmBidirectional(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.score, self.head = nn.LSTM(20, 12, bidirectional=True), nn.Linear(24, 1), nn.Linear(24, 4)

    def forward(self, x):
        y = self.lstm(x.transpose(0, 1))[0].transpose(0, 1)
        return self.head((torch.softmax(self.score(torch.tanh(y)), 1) * y).sum(1))


@model(1, 25, 40)
class TransformerEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, activation="gelu", norm_first=True)
        self.embed, self.positions = nn.Linear(40, 32), nn.Parameter(torch.randn(1, 26, 32))
        self.token, self.head = nn.Parameter(torch.randn(1, 1, 32)), nn.Linear(32, 12)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x):
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), self.embed(x)), 1) + self.positions
        return self.head(self.encoder(x)[:, 0])


@model(1, 20, 32)
class AttentionByHand(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.qkv, self.out = nn.LayerNorm(32), nn.Linear(32, 96, bias=False), nn.Linear(32, 32)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(self.norm(x)).view(n, t, 3, 4, d // 4).permute(2, 0, 3, 1, 4)
        weights = ((q @ k.transpose(-2, -1)) * (d // 4) ** -0.5).softmax(-1)
        return x + self.out((weights @ v).transpose(1, 2).reshape(n, t, d))


@model(1, 40, 64)
class Tcn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(40, 16, 1)
        self.layers = nn.ModuleList(nn.Conv1d(16, 16, 3, dilation=2**i) for i in range(4))
        self.head = nn.Linear(16, 6)

    def forward(self, x):
        x = self.first(x)
        for i, layer in enumerate(self.layers):
            x = x + F.leaky_relu(layer(F.pad(x, (2 * 2**i, 0))), 0.2)
        return self.head(x[..., -1])


@model(1, 1, 64)
class WaveNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(1, 8, 1)
        self.gates = nn.ModuleList(nn.Conv1d(8, 16, 2, dilation=2**i) for i in range(3))
        self.outs = nn.ModuleList(nn.Conv1d(8, 8, 1) for _ in range(3))

    def forward(self, x):
        x, skips = self.first(x), 0
        for i, (gate, out) in enumerate(zip(self.gates, self.outs, strict=True)):
            a, b = gate(F.pad(x, (2**i, 0))).chunk(2, 1)
            y = out(torch.tanh(a) * torch.sigmoid(b))
            x, skips = x + y, skips + y
        return F.relu(skips)


@model(1, 1, 32, 32)
class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = conv_bn(1, 8, 3), conv_bn(8, 12, 3), conv_bn(12, 16, 3)
        self.up, self.d, self.e = nn.ConvTranspose2d(16, 12, 2, 2), conv_bn(24, 12, 3), conv_bn(20, 8, 3)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(F.max_pool2d(a, 2))
        y = self.d(torch.cat((self.up(self.c(F.max_pool2d(b, 2))), b), 1))
        return self.out(self.e(torch.cat((F.interpolate(y, scale_factor=2, mode="nearest"), a), 1)))


@model(1, 8, 12, 10)
class Bilinear(Sequence):
    def parts(self):
        yield from (nn.Conv2d(8, 4, 3, padding=1), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(4, 2, 3))


@model(1, 1, 256)
class WaveAutoencoder(Sequence):
    def parts(self):
        yield from (nn.Conv1d(1, 8, 8, 4, 2), nn.ReLU(), nn.Conv1d(8, 12, 4, 2, 1), nn.ELU())
        yield from (nn.ConvTranspose1d(12, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose1d(8, 1, 8, 4, 2), nn.Tanh())


@model(1, 640)
class DenseAutoencoder(Sequence):
    def parts(self):
        widths = (640, 64, 64, 8, 64, 64)
        for a, b in itertools.pairwise(widths):
            yield from (nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU())
        yield nn.Linear(64, 640)


@model(1, 16, 20)
class Activations(Sequence):
    def parts(self):
        for kind in (nn.GELU, nn.SiLU, nn.Mish, nn.Softplus, nn.ELU, nn.SELU, nn.Hardswish, nn.Hardsigmoid, nn.PReLU,
                     nn.Softsign, nn.LeakyReLU, nn.Hardtanh, nn.CELU, nn.Tanhshrink):  # fmt: skip
            yield from (nn.Linear(20, 20), kind())


@model(1, 12, 16)
class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.group, self.instance = (
            nn.Conv1d(12, 16, 3, padding=1),
            nn.GroupNorm(4, 16),
            nn.InstanceNorm1d(16),
        )
        self.layer, self.rms, self.head = nn.LayerNorm(16), nn.RMSNorm(16), nn.Linear(16, 4)

    def forward(self, x):
        y = self.instance(F.relu(self.group(self.conv(x)))).transpose(1, 2)
        return F.normalize(self.head(self.rms(self.layer(y))).mean(1), dim=-1)


@model(1, 8, 24, 20)
class ShuffleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.branch = nn.Sequential(conv_bn(4, 8, 1), conv_bn(8, 8, 3, groups=8), nn.Conv2d(8, 4, 1))
        self.grouped = nn.Conv2d(8, 16, 3, groups=4, padding=1)

    def forward(self, x):
        a, b = x.chunk(2, 1)
        y = torch.cat((a, self.branch(b)), 1)
        n, c, h, w = y.shape
        y = y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return F.adaptive_avg_pool2d(self.grouped(y), (3, 4)).flatten(1)


@model(1, 1, 31, 20)
class Pools(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding="same")

    def forward(self, x):
        y = F.max_pool2d(self.conv(x), 3, 2, 1)
        y = F.avg_pool2d(y, 3, 2, 1) + F.avg_pool2d(y, 3, 2, 1, count_include_pad=False)
        z = F.max_pool2d(y, 2, 2, ceil_mode=True)
        return torch.cat((z.flatten(1), F.lp_pool2d(y.abs(), 2, 2).flatten(1), y.amax((2, 3))), 1)


@model(1, 20, 13)
class StatsPooling(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Conv1d(13, 24, 5), nn.Conv1d(24, 24, 3, dilation=2), nn.Linear(48, 16)

    def forward(self, x):
        y = F.relu(self.b(F.relu(self.a(x.transpose(1, 2)))))
        return F.normalize(self.head(torch.cat((y.mean(-1), y.std(-1)), -1)), dim=-1)


@model(1, 20, 16)
class Conformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.ff, self.norm = (
            nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 32), nn.SiLU(), nn.Linear(32, 16)),
            nn.LayerNorm(16),
        )
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.conv = nn.Sequential(nn.Conv1d(16, 32, 1), nn.GLU(1), nn.Conv1d(16, 16, 7, padding=3, groups=16),
                                  nn.BatchNorm1d(16), nn.SiLU(), nn.Conv1d(16, 16, 1))  # fmt: skip

    def forward(self, x):
        x = x + 0.5 * self.ff(x)
        y = self.norm(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return (x + self.conv(x.transpose(1, 2)).transpose(1, 2)).mean(1)


@model(1, 16, 12)
class Arithmetic(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(12, 8), nn.Linear(12, 8)

    def forward(self, x):
        a, b = self.a(x), F.softplus(self.b(x))
        y = a / (b + 1) + b.sqrt() - a.abs() * 0.5 + torch.log1p(b) + (-b).exp() + (b + 0.1).rsqrt() + b**1.5
        return torch.where(a > 0, y, -y).clamp(-4, 4) + torch.einsum("btc,bsc->bts", a, b) @ b + a.pow(3)


@model(1, 30, 12)
class Fsmn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.project = nn.Linear(12, 24), nn.Linear(24, 8, bias=False)
        self.memory, self.last = nn.Conv2d(8, 8, (6, 1), groups=8, bias=False), nn.Linear(8, 5)

    def forward(self, x):
        p = self.project(F.relu(self.first(x)))
        m = self.memory(F.pad(p.unsqueeze(1).permute(0, 3, 2, 1), (0, 0, 5, 0)))
        return F.softmax(self.last(p + m.permute(0, 3, 2, 1).squeeze(1)), -1)


@model(1, 2048)
class LogMelInside(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(256))
        self.register_buffer("mel", torch.rand(129, 20) / 64)
        self.net = nn.Sequential(nn.Conv1d(20, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, 4))

    def forward(self, x):
        s = (
            torch.stft(x, 256, 128, window=self.window, center=False, return_complex=False)
            if False
            else self.spectrum(x)
        )
        return self.net(torch.log(s @ self.mel + 1e-4).transpose(1, 2))

    def spectrum(self, x):
        frames = x.unfold(-1, 256, 128) * self.window
        s = torch.fft.rfft(frames)
        return s.real**2 + s.imag**2


@model(1, 12)
class Tokens(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.conv, self.head = nn.Embedding(40, 16), nn.Conv1d(16, 16, 3), nn.Linear(16, 3)

    def forward(self, x):
        return self.head(F.relu(self.conv(self.embedding(x.abs().long() % 40).transpose(1, 2))).amax(-1))


@model(1, 20, 16)
class DepthwiseWithGates(nn.Module):
    """A causal gated block with squeeze and excitation, RMS norm by hand, rotary-like slicing, and a learned scale."""

    def __init__(self):
        super().__init__()
        self.gain, self.conv = nn.Parameter(torch.ones(16)), nn.Conv1d(16, 16, 4, groups=16)
        self.up, self.down = nn.Linear(16, 64), nn.Linear(32, 16)

    def forward(self, x):
        y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.gain
        y = F.silu(self.conv(F.pad(y.mT, (3, 0))).mT)
        a, b = y[..., ::2], y[..., 1::2]
        y = torch.stack((a * 0.6 - b * 0.8, a * 0.8 + b * 0.6), -1).flatten(-2)
        u, g = self.up(y).tensor_split(2, -1)
        return x + self.down(u * F.gelu(g, approximate="tanh"))
