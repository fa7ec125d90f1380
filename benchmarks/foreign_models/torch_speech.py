"""Published networks for speech, re-created in PyTorch at a small size and with random weights."""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch_models import Sequence, conv_bn, model


def conv1(a, b, size=1, stride=1, dilation=1, groups=1, activation=nn.ReLU):
    conv = nn.Conv1d(a, b, size, stride, (size - 1) * dilation // 2, dilation, groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(b), activation())


@model(1, 576, states=[(2, 1, 32)])
class SileroVad(nn.Module):
    """Silero VAD 5: the spectrum as a strided convolution, an encoder, one step of an LSTM."""

    def __init__(self):
        super().__init__()
        self.register_buffer("basis", torch.randn(130, 1, 128) / 8)
        widths, strides = (65, 32, 16, 16, 32), (1, 2, 2, 1)
        self.encoder = nn.Sequential(*(
            layer for a, b, s in zip(widths, widths[1:], strides, strict=False)
            for layer in (nn.Conv1d(a, b, 3, s, 1), nn.ReLU())
        ))  # fmt: skip
        self.cell = nn.LSTMCell(32, 32)
        self.decoder = nn.Sequential(nn.Dropout(0.1), nn.ReLU(), nn.Conv1d(32, 1, 1), nn.Sigmoid())

    def forward(self, x, state):
        x = F.conv1d(F.pad(x, (0, 64), mode="reflect").unsqueeze(1), self.basis, stride=64)
        real, imaginary = x[:, :65], x[:, 65:]
        x = self.encoder(torch.sqrt(real**2 + imaginary**2))
        h, c = self.cell(x.mean(-1), (state[0], state[1]))
        return self.decoder(h.unsqueeze(-1)).squeeze(1).mean(1, keepdim=True), torch.stack((h, c))


@model(1, 1, 512, states=[(2, 1, 24), (2, 1, 24)])
class SileroVadOlder(nn.Module):
    """Silero VAD 3 and 4: adaptive normalization, separable blocks, two layers of LSTM, its states apart."""

    def __init__(self):
        super().__init__()
        self.register_buffer("basis", torch.randn(66, 1, 64) / 8)
        self.depthwise, self.pointwise = nn.Conv1d(66, 66, 5, padding=2, groups=66), nn.Conv1d(66, 24, 1)
        self.skip, self.down = nn.Conv1d(66, 24, 1), nn.Sequential(nn.Conv1d(24, 24, 1, 2), nn.BatchNorm1d(24))
        self.lstm, self.head = nn.LSTM(24, 24, 2), nn.Conv1d(24, 1, 1)

    def forward(self, x, h, c):
        y = F.conv1d(F.pad(x, (32, 32), mode="reflect"), self.basis, stride=32)
        magnitude = torch.sqrt(y[:, :33] ** 2 + y[:, 33:] ** 2)
        level = torch.log1p(magnitude * 1048576).mean(1, keepdim=True)
        smooth = F.avg_pool1d(F.pad(level, (3, 3), mode="reflect"), 7, 1).mean(-1, keepdim=True)
        y = torch.cat((magnitude, torch.log1p(magnitude * 1048576) - smooth), 1)
        y = F.relu(self.pointwise(F.relu(self.depthwise(y))) + self.skip(y))
        y, (h, c) = self.lstm(F.relu(self.down(y)).permute(2, 0, 1), (h, c))
        return torch.sigmoid(self.head(F.relu(y.permute(1, 2, 0)))).mean(2), h, c


@model(1, 16, 96)
class OpenWakeWord(Sequence):
    def parts(self):
        yield from (nn.Flatten(), nn.Linear(16 * 96, 32), nn.LayerNorm(32), nn.ReLU())
        yield from (nn.Linear(32, 32), nn.LayerNorm(32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())


@model(1, 76, 32, 1)
class SpeechEmbedding(nn.Module):
    """The embedding below openWakeWord, channels last at its border."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList()
        for a, b in ((1, 12), (12, 16), (16, 20)):
            self.layers.append(nn.Sequential(
                nn.Conv2d(a, b, (1, 3), padding=(0, 1), bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2),
                nn.Conv2d(b, b, (3, 1), bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2),
                nn.ZeroPad2d((0, 0, 0, 1)), nn.MaxPool2d(2),
            ))  # fmt: skip

    def forward(self, x):
        x = x.permute(0, 3, 1, 2)
        for layer in self.layers:
            x = torch.maximum(layer(x), torch.tensor(-0.4))
        return x.permute(0, 2, 3, 1).reshape(1, 1, 1, -1)


@model(1, 64, 50)
class MatchboxNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = self.separable(64, 32, 11, 2)
        self.blocks = nn.ModuleList(self.separable(32, 32, k, 1, last=True) for k in (13, 15, 17))
        self.skips = nn.ModuleList(nn.Sequential(nn.Conv1d(32, 32, 1), nn.BatchNorm1d(32)) for _ in range(3))
        self.tail = nn.Sequential(nn.Conv1d(32, 32, 29, padding=28, dilation=2, groups=32), nn.Conv1d(32, 64, 1),
                                  nn.BatchNorm1d(64), nn.ReLU(), conv1(64, 64), nn.Conv1d(64, 30, 1))  # fmt: skip

    def separable(self, a, b, size, stride, last=False):
        parts = (nn.Conv1d(a, a, size, stride, size // 2, groups=a), nn.Conv1d(a, b, 1), nn.BatchNorm1d(b))
        return nn.Sequential(*parts, *([] if last else [nn.ReLU()]))

    def forward(self, x):
        x = self.first(x)
        for block, skip in zip(self.blocks, self.skips, strict=True):
            x = F.relu(block(x) + skip(x))
        return F.log_softmax(self.tail(x).mean(-1), -1)


@model(1, 80, 63)
class MarbleNet(nn.Module):
    """NeMo's: every convolution masks what lies beyond the length of the clip."""

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(80 if i == 0 else 24, 24, 11, padding=5, groups=8) for i in range(3))
        self.norms = nn.ModuleList(nn.BatchNorm1d(24) for _ in range(3))
        self.head = nn.Conv1d(24, 2, 1)

    def forward(self, x):
        lengths = torch.full((x.shape[0],), 60)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            mask = torch.arange(x.shape[-1])[None] < lengths[:, None]
            x = F.relu(norm(conv(x.masked_fill(~mask.unsqueeze(1), 0))))
        return self.head(x).transpose(1, 2)


@model(1, 80, 40)
class TitaNet(nn.Module):
    """Separable blocks with squeeze and excitation over a mask, attentive statistics."""

    def __init__(self):
        super().__init__()
        self.first = conv1(80, 32, 3)
        self.a, self.b = conv1(32, 32, 7, groups=32), conv1(32, 32, 1, activation=nn.Identity)
        self.squeeze = nn.Sequential(nn.Linear(32, 4), nn.ReLU(), nn.Linear(4, 32))
        self.attend = nn.Sequential(
            nn.Conv1d(96, 16, 1), nn.ReLU(), nn.BatchNorm1d(16), nn.Tanh(), nn.Conv1d(16, 32, 1)
        )
        self.head = nn.Sequential(nn.BatchNorm1d(64), nn.Linear(64, 24))

    def forward(self, x):
        x = self.first(x)
        y = self.b(self.a(x))
        y = F.relu(x + y * torch.sigmoid(self.squeeze(y.mean(-1))).unsqueeze(-1))
        mean, spread = y.mean(-1, keepdim=True), y.std(-1, keepdim=True, unbiased=False).clamp(1e-10)
        whole = torch.cat((y, mean.expand(-1, -1, y.shape[-1]), spread.repeat(1, 1, y.shape[-1])), 1)
        alpha = torch.softmax(self.attend(whole), 2)
        mu = (alpha * y).sum(2)
        sigma = ((alpha * (y - mu.unsqueeze(2)) ** 2).sum(2)).clamp(1e-10).sqrt()
        return F.normalize(self.head(torch.cat((mu, sigma), 1)), p=2.0, dim=1)


@model(1, 1, 40, 64)
class CrnnKws(nn.Module):
    """Arik's: one wide convolution, two bidirectional GRUs, two layers."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, (20, 5), (8, 2))
        self.gru, self.head = nn.GRU(24, 16, 2, batch_first=True, bidirectional=True), nn.Linear(32 * 30, 12)

    def forward(self, x):
        x = F.relu(self.conv(x)).flatten(1, 2).transpose(1, 2)
        return self.head(self.gru(x)[0].flatten(1))


class Honk(nn.Module):
    """Residual networks of honk: every second layer adds, batch norms have neither gain nor shift."""

    layers, width, pool, dilates = 6, 16, (4, 3), False

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, self.width, 3, padding=1, bias=False)
        steps = [2 ** (i // 3) if self.dilates else 1 for i in range(self.layers)]
        self.convs = nn.ModuleList(
            nn.Conv2d(self.width, self.width, 3, padding=d, dilation=d, bias=False) for d in steps
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(self.width, affine=False) for _ in steps)
        self.head = nn.Linear(self.width, 12)

    def forward(self, x):
        x = old = F.relu(self.first(x.unsqueeze(1)))
        if self.pool:
            x = old = F.avg_pool2d(x, self.pool)
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True), 1):
            y = F.relu(conv(x))
            x = y
            if i % 2 == 0:
                x = old = y + old
            x = norm(x)
        return self.head(x.view(x.size(0), x.size(1), -1).mean(2))


@model(1, 50, 40)
class Res8(Honk):
    pass


@model(1, 25, 20)
class Res15(Honk):
    layers, width, pool, dilates = 13, 12, (), True


@model(1, 40, 50)
class TeNet(nn.Module):
    """Inverted bottlenecks in time whose depthwise convolution has four branches."""

    def __init__(self):
        super().__init__()
        self.first = conv1(40, 16, 3)
        self.wide, self.narrow = conv1(16, 48), conv1(48, 16, activation=nn.Identity)
        self.branches = nn.ModuleList(conv1(48, 48, k, 2, groups=48, activation=nn.Identity) for k in (3, 5, 7, 9))
        self.skip, self.head = conv1(16, 16, 1, 2), nn.Linear(16, 12)

    def forward(self, x):
        x = self.first(x)
        y = self.wide(x)
        y = F.relu(torch.stack([branch(y) for branch in self.branches]).sum(0))
        return self.head(F.adaptive_avg_pool1d(F.relu(self.narrow(y) + self.skip(x)), 1).squeeze(2))


class BcBlock(nn.Module):
    def __init__(self, a, b, stride, dilation):
        super().__init__()
        self.changes = a != b
        self.first = nn.Sequential(nn.Conv2d(a, b, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(True))
        self.f2 = nn.Conv2d(b, b, (3, 1), (stride, 1), (1, 0), groups=b, bias=False)
        self.norm = nn.BatchNorm2d(b * 5)
        self.f1 = nn.Sequential(nn.AdaptiveAvgPool2d((1, None)),
                                nn.Conv2d(b, b, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=b),
                                nn.BatchNorm2d(b), nn.SiLU(True), nn.Conv2d(b, b, 1), nn.Dropout2d(0.1))  # fmt: skip

    def forward(self, x):
        y = self.f2(self.first(x) if self.changes else x)
        n, c, h, w = y.size()
        y = self.norm(y.view(n, c * 5, h // 5, w)).view(n, c, h, w)
        z = self.f1(y) + y
        return F.relu(z if self.changes else z + x, True)


@model(1, 1, 40, 51)
class BcResNetOfficial(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(1, 16, 5, (2, 1), 2, bias=False), nn.BatchNorm2d(16), nn.ReLU(True))
        self.body = nn.Sequential(
            BcBlock(16, 8, 1, 1), BcBlock(8, 8, 1, 1), BcBlock(8, 12, 2, 2), BcBlock(12, 12, 1, 2)
        )
        self.tail = nn.Sequential(nn.Conv2d(12, 12, 5, groups=12, padding=(0, 2)), nn.Conv2d(12, 20, 1, bias=False),
                                  nn.BatchNorm2d(20), nn.ReLU(True), nn.AdaptiveAvgPool2d((1, 1)),
                                  nn.Conv2d(20, 12, 1))  # fmt: skip

    def forward(self, x):
        x = self.tail(self.body(self.head(x)))
        return x.view(-1, x.shape[1])


class PostNormBlock(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d)
        self.norms = nn.ModuleList(nn.LayerNorm(d) for _ in range(2))
        self.mlp = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Dropout(0.1), nn.Linear(2 * d, d))

    def attend(self, x):
        n, t, d = x.shape
        q, k, v = (y.reshape(n, t, self.heads, -1).permute(0, 2, 1, 3) for y in self.qkv(x).chunk(3, dim=-1))
        dots = torch.einsum("b h i d, b h j d -> b h i j", q, k) * (d // self.heads) ** -0.5
        y = torch.einsum("b h i j, b h j d -> b h i d", dots.softmax(dim=-1), v)
        return self.out(y.permute(0, 2, 1, 3).reshape(n, t, d))

    def forward(self, x):
        x = self.norms[0](self.attend(x)) + x
        return self.norms[1](self.mlp(x)) + x


@model(1, 1, 40, 30)
class Kwt(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(40, 32)
        self.token, self.positions = nn.Parameter(torch.randn(1, 1, 32)), nn.Parameter(torch.randn(1, 31, 32))
        self.blocks = nn.Sequential(PostNormBlock(32, 2), PostNormBlock(32, 2))
        self.head = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 12))

    def forward(self, x):
        x = self.embed(x.squeeze(1).transpose(1, 2))
        x = torch.cat((self.token.repeat(x.shape[0], 1, 1), x), dim=1) + self.positions[:, : x.shape[1] + 1]
        return self.head(self.blocks(x)[:, 0])


@model(1, 48, 32)
class AudioSpectrogramTransformer(nn.Module):
    """Overlapping patches, two tokens whose rows are averaged, blocks that normalize first."""

    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(1, 24, 16, 10)
        self.tokens, self.positions = nn.Parameter(torch.randn(1, 2, 24)), nn.Parameter(torch.randn(1, 10, 24))
        self.a, self.b, self.last = nn.LayerNorm(24, eps=1e-6), nn.LayerNorm(24, eps=1e-6), nn.LayerNorm(24, eps=1e-6)
        self.qkv, self.out, self.head = nn.Linear(24, 72), nn.Linear(24, 24), nn.Linear(24, 10)
        self.mlp = nn.Sequential(nn.Linear(24, 96), nn.GELU(), nn.Linear(96, 24))

    def forward(self, x):
        x = self.patch(x.unsqueeze(1).transpose(2, 3)).flatten(2).transpose(1, 2)
        x = torch.cat((self.tokens.expand(x.shape[0], -1, -1), x), 1) + self.positions
        n, t, d = x.shape
        q, k, v = self.qkv(self.a(x)).reshape(n, t, 3, 3, d // 3).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d))
        x = self.last(x + self.mlp(self.b(x)))
        return self.head((x[:, 0] + x[:, 1]) / 2)


@model(1, 1, 16, 16)
class HtsAt(nn.Module):
    """Windows of attention, the second time shifted by half a window, and merged patches."""

    def __init__(self):
        super().__init__()
        self.patch, self.norm = nn.Conv2d(1, 16, 2, 2), nn.LayerNorm(16)
        self.norms = nn.ModuleList(nn.LayerNorm(16) for _ in range(4))
        self.qkv = nn.ModuleList(nn.Linear(16, 48) for _ in range(2))
        self.out = nn.ModuleList(nn.Linear(16, 16) for _ in range(2))
        self.mlp = nn.ModuleList(nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16)) for _ in range(2))
        self.table = nn.Parameter(torch.randn(49, 2) * 0.1)
        at = torch.stack(torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")).flatten(1)
        offset = (at[:, :, None] - at[:, None, :] + 3).permute(1, 2, 0)
        self.register_buffer("index", offset[..., 0] * 7 + offset[..., 1])
        region = torch.zeros(1, 8, 8, 1)
        for i, rows in enumerate((slice(0, -4), slice(-4, -2), slice(-2, None))):
            for j, columns in enumerate((slice(0, -4), slice(-4, -2), slice(-2, None))):
                region[:, rows, columns] = i * 3 + j
        parts = self.windows(region).squeeze(-1)
        apart = parts[:, None] - parts[:, :, None]
        self.register_buffer("mask", apart.masked_fill(apart != 0, -100.0))
        self.merge, self.head = nn.Linear(64, 32, bias=False), nn.Linear(32, 10)

    def windows(self, x):
        n, h, w, c = x.shape
        return x.view(n, h // 4, 4, w // 4, 4, c).permute(0, 1, 3, 2, 4, 5).contiguous().view(-1, 16, c)

    def attend(self, x, i):
        n, t, d = x.shape
        q, k, v = self.qkv[i](x).reshape(n, t, 3, 2, d // 2).permute(2, 0, 3, 1, 4)
        bias = self.table[self.index.view(-1)].view(t, t, 2).permute(2, 0, 1).contiguous().unsqueeze(0)
        dots = q * (d // 2) ** -0.5 @ k.transpose(-2, -1) + bias
        if i:
            dots = (dots.view(1, n, 2, t, t) + self.mask.unsqueeze(1).unsqueeze(0)).view(-1, 2, t, t)
        return self.out[i]((dots.softmax(-1) @ v).transpose(1, 2).reshape(n, t, d))

    def forward(self, x):
        x = self.norm(self.patch(x).flatten(2).transpose(1, 2))
        for i, shift in enumerate((0, 2)):
            y = self.norms[2 * i](x).view(1, 8, 8, 16)
            y = torch.roll(y, shifts=(-shift, -shift), dims=(1, 2)) if shift else y
            y = self.attend(self.windows(y), i).view(1, 2, 2, 4, 4, 16).permute(0, 1, 3, 2, 4, 5).reshape(1, 8, 8, 16)
            y = torch.roll(y, shifts=(shift, shift), dims=(1, 2)) if shift else y
            x = x + y.view(1, 64, 16)
            x = x + self.mlp[i](self.norms[2 * i + 1](x))
        x = x.view(1, 8, 8, 16)
        x = torch.cat((x[:, 0::2, 0::2], x[:, 1::2, 0::2], x[:, 0::2, 1::2], x[:, 1::2, 1::2]), -1).view(1, -1, 64)
        return self.head(self.merge(x).transpose(1, 2).mean(-1))


@model(1, 1, 32, 40)
class EfficientAt(nn.Module):
    """MobileNetV3 blocks whose excitation looks along frequency and channels at once."""

    def __init__(self):
        super().__init__()
        self.first = conv_bn(1, 8, 3, 2, activation=nn.Hardswish)
        self.wide, self.depth = conv_bn(8, 24, 1, activation=nn.Hardswish), conv_bn(24, 24, 5, 2, 24, nn.Hardswish)
        self.c, self.f = (nn.Sequential(nn.Linear(n, 8), nn.ReLU(), nn.Linear(8, n), nn.Sigmoid()) for n in (24, 8))
        self.narrow, self.last = conv_bn(24, 12, 1, activation=nn.Identity), conv_bn(12, 36, 1, activation=nn.Hardswish)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(36, 48), nn.Hardswish(),
                                  nn.Dropout(0.2), nn.Linear(48, 10))  # fmt: skip

    def forward(self, x):
        x = self.depth(self.wide(self.first(x)))
        c = self.c(x.mean((2, 3)))[:, :, None, None]
        f = self.f(x.mean((1, 3)))[:, None, :, None]
        return self.head(self.last(self.narrow(torch.maximum(x * c, x * f))))


@model(1, 1, 48, 32)
class PannsCnn(nn.Module):
    """Blocks of two convolutions and pooling, maxima and means in time, framewise scores at the input's rate."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(32)
        self.blocks = nn.ModuleList(nn.Sequential(conv_bn(a, b, 3), conv_bn(b, b, 3)) for a, b in ((1, 8), (8, 12)))
        self.attention, self.scores = nn.Conv1d(12, 6, 1), nn.Conv1d(12, 6, 1)

    def forward(self, x):
        x = self.norm(x.transpose(1, 3)).transpose(1, 3)
        for block in self.blocks:
            x = F.avg_pool2d(block(x), (2, 2)) + F.max_pool2d(block(x), (2, 2)) * 0
        x = torch.mean(x, dim=3)
        x = F.max_pool1d(x, 3, 1, 1) + F.avg_pool1d(x, 3, 1, 1)
        weights, frames = torch.softmax(torch.clamp(self.attention(x), -10, 10), -1), torch.sigmoid(self.scores(x))
        upsampled = frames.transpose(1, 2)[:, :, None, :].repeat(1, 1, 4, 1).reshape(1, 48, 6)
        return (weights * frames).sum(2), upsampled


@model(1, 30, 20)
class EcapaTdnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(
            nn.Conv1d(20, 32, 5, padding=2, padding_mode="reflect"), nn.ReLU(), nn.BatchNorm1d(32)
        )
        self.a, self.b = (nn.Sequential(nn.Conv1d(32, 32, 1), nn.ReLU(), nn.BatchNorm1d(32)) for _ in range(2))
        self.parts = nn.ModuleList(nn.Conv1d(8, 8, 3, padding=2, dilation=2) for _ in range(3))
        self.norms = nn.ModuleList(nn.BatchNorm1d(8) for _ in range(3))
        self.squeeze = nn.Sequential(nn.AdaptiveAvgPool1d(1), nn.Conv1d(32, 8, 1), nn.ReLU(), nn.Conv1d(8, 32, 1),
                                     nn.Sigmoid())  # fmt: skip
        self.attend = nn.Sequential(nn.Conv1d(192, 16, 1), nn.ReLU(), nn.BatchNorm1d(16), nn.Tanh(),
                                    nn.Conv1d(16, 64, 1), nn.Softmax(dim=2))  # fmt: skip
        self.tail, self.norm = nn.Linear(128, 16), nn.BatchNorm1d(128)

    def forward(self, x):
        x = self.first(x.transpose(1, 2))
        y = torch.split(self.a(x), 8, 1)
        sp, done = y[0], []
        for i in range(3):
            sp = self.norms[i](F.relu(self.parts[i](sp if i == 0 else sp + y[i])))
            done.append(sp)
        z = self.b(torch.cat((*done, y[3]), 1))
        z = torch.cat((x, x + z * self.squeeze(z)), 1)
        t = z.size()[-1]
        mean, var = z.mean(2, keepdim=True).repeat(1, 1, t), torch.var(z, dim=2, keepdim=True)
        w = self.attend(torch.cat((z, mean, torch.sqrt(var.clamp(min=1e-4)).repeat(1, 1, t)), 1))
        mu = torch.sum(z * w, dim=2)
        sigma = torch.sqrt((torch.sum((z**2) * w, dim=2) - mu**2).clamp(min=1e-4))
        return self.tail(self.norm(torch.cat((mu, sigma), 1)))


@model(1, 80, 60)
class CamPlusPlus(nn.Module):
    """A mask of each dense layer is made of the mean of the clip and the means of its segments."""

    def __init__(self):
        super().__init__()
        self.front, self.first = nn.Conv2d(1, 4, 3, (2, 1), 1), nn.Conv1d(160, 32, 5, 2, 2)
        self.norms = nn.ModuleList(nn.BatchNorm1d(32 + 8 * i) for i in range(3))
        self.linears = nn.ModuleList(nn.Conv1d(32 + 8 * i, 16, 1) for i in range(3))
        self.locals = nn.ModuleList(nn.Conv1d(16, 8, 3, padding=1, bias=False) for _ in range(3))
        self.masks = nn.ModuleList(
            nn.Sequential(nn.Conv1d(16, 4, 1), nn.ReLU(), nn.Conv1d(4, 8, 1), nn.Sigmoid()) for _ in range(3)
        )
        self.head = nn.Linear(112, 12)

    def forward(self, x):
        x = F.relu(self.front(x.unsqueeze(1)))
        x = self.first(x.reshape(x.shape[0], x.shape[1] * x.shape[2], x.shape[3]))
        for norm, linear, local, mask in zip(self.norms, self.linears, self.locals, self.masks, strict=True):
            y = linear(F.relu(norm(x)))
            seg = F.avg_pool1d(y, kernel_size=8, stride=8, ceil_mode=True)
            seg = seg.unsqueeze(-1).expand(*seg.shape, 8).reshape(*seg.shape[:-1], -1)[..., : y.shape[-1]]
            x = torch.cat((x, local(y) * mask(y.mean(-1, keepdim=True) + seg)), 1)
        return self.head(torch.cat((x.mean(dim=-1), x.std(dim=-1, unbiased=True)), -1))


@model(1, 10, 40, states=[(1, 16, 9, 1), (1, 16, 9, 1)])
class FsmnVad(nn.Module):
    """FunASR's: memories as depthwise convolutions over a cache that goes in and comes out."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(40, 24), nn.Linear(24, 32)
        self.project = nn.ModuleList(nn.Linear(32, 16, bias=False) for _ in range(2))
        self.memory = nn.ModuleList(nn.Conv2d(16, 16, (10, 1), groups=16, bias=False) for _ in range(2))
        self.affine, self.out = nn.ModuleList(nn.Linear(16, 32) for _ in range(2)), nn.Linear(32, 4)

    def forward(self, x, a, b):
        x, caches = F.relu(self.second(self.first(x))), []
        for project, memory, affine, cache in zip(self.project, self.memory, self.affine, (a, b), strict=True):
            y = torch.unsqueeze(project(x), 1).permute(0, 3, 2, 1)
            whole = torch.cat((cache, y), dim=2)
            caches.append(whole[:, :, -9:, :])
            x = F.relu(affine((y + memory(whole)).permute(0, 3, 2, 1).squeeze(1)))
        return F.softmax(self.out(x), -1), *caches


@model(1, 1, 42, states=[(1, 1, 24), (1, 1, 48), (1, 1, 96)])
class RnNoise(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense, self.vad = nn.Linear(42, 24), nn.Linear(24, 1)
        self.a, self.b = nn.GRU(24, 24, batch_first=True), nn.GRU(90, 48, batch_first=True)
        self.c, self.gains = nn.GRU(114, 96, batch_first=True), nn.Linear(96, 22)

    def forward(self, x, a, b, c):
        y = torch.tanh(self.dense(x))
        v, a = self.a(y, a)
        n, b = self.b(torch.cat((y, v, x), -1), b)
        d, c = self.c(torch.cat((v, n, x), -1), c)
        return torch.sigmoid(self.gains(d)), torch.sigmoid(self.vad(v)), a, b, c


@model(1, 20, 33)
class NsNet2(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.rnn1, self.rnn2 = nn.Linear(33, 24), nn.GRU(24, 24, 1), nn.GRU(24, 24, 1)
        self.fc2, self.fc3, self.fc4 = nn.Linear(24, 32), nn.Linear(32, 32), nn.Linear(32, 33)

    def forward(self, x):
        y, _ = self.rnn1(self.fc1(x).permute(1, 0, 2))
        y = self.rnn2(y)[0].permute(1, 0, 2)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(F.relu(self.fc2(y))))))


@model(1, 1, 8, 32)
class DeepFilterNet(nn.Module):
    """Separable encoder, grouped linear layers by einsum, a squeezed GRU, a decoder with pathways."""

    def __init__(self):
        super().__init__()
        self.a = nn.Sequential(nn.ConstantPad2d((0, 0, 2, 0), 0.0), nn.Conv2d(1, 8, 3, padding=(0, 1), bias=False),
                               nn.BatchNorm2d(8), nn.ReLU())  # fmt: skip
        self.b = nn.Sequential(nn.Conv2d(8, 8, (1, 3), (1, 2), (0, 1), groups=8, bias=False),
                               nn.Conv2d(8, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU())  # fmt: skip
        self.weight, self.back = nn.Parameter(torch.randn(4, 32, 6) / 6), nn.Parameter(torch.randn(4, 6, 32) / 3)
        self.gru, self.path = nn.GRU(24, 24, batch_first=True), nn.Conv2d(8, 8, 1)
        self.up = nn.ConvTranspose2d(8, 8, (1, 3), (1, 2), (0, 1), (0, 1), groups=8, bias=False)
        self.out, self.snr = nn.Conv2d(8, 1, (1, 3), padding=(0, 1)), nn.Linear(24, 1)

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        y = b.permute(0, 2, 3, 1).flatten(2)
        n, t, _ = y.shape
        y = torch.einsum("btgi,gih->btgh", y.view(n, t, 4, -1), self.weight).flatten(2, 3)
        y = F.relu(self.gru(y)[0])
        z = torch.einsum("btgi,gih->btgh", y.view(n, t, 4, -1), self.back).flatten(2, 3)
        z = F.relu(z).view(n, t, 16, 8).permute(0, 3, 1, 2)
        return torch.sigmoid(self.out(self.up(F.relu(self.path(b)) + z) + a)), torch.sigmoid(self.snr(y)) * 50 - 15


@model(1, 33, 12, 2)
class Gtcrn(nn.Module):
    """Bands of a matrix, neighbouring bands as channels, shuffled grouped blocks, two paths of GRUs, a complex mask."""

    def __init__(self):
        super().__init__()
        self.bands, self.spread = nn.Linear(33, 16, bias=False), nn.Linear(16, 33, bias=False)
        self.unfold = nn.Unfold(kernel_size=(1, 3), stride=(1, 1), padding=(0, 1))
        self.first = nn.Sequential(nn.Conv2d(9, 12, (1, 5), (1, 2), (0, 2)), nn.BatchNorm2d(12), nn.PReLU())
        self.point = nn.Sequential(nn.Conv2d(6, 12, 1), nn.BatchNorm2d(12), nn.PReLU())
        self.depth = nn.Sequential(nn.Conv2d(12, 12, 3, padding=(0, 1), groups=12), nn.BatchNorm2d(12), nn.PReLU())
        self.last = nn.Sequential(nn.Conv2d(12, 6, 1), nn.BatchNorm2d(6))
        self.attend, self.gate = nn.GRU(6, 12, 1, batch_first=True), nn.Linear(12, 6)
        self.intra = nn.GRU(12, 6, batch_first=True, bidirectional=True)
        self.inter, self.norm = nn.GRU(12, 12, batch_first=True), nn.LayerNorm((8, 12), eps=1e-8)
        self.up = nn.ConvTranspose2d(12, 2, (1, 5), (1, 2), (0, 2), (0, 1))

    def forward(self, spec):
        real, imaginary = spec[..., 0].permute(0, 2, 1), spec[..., 1].permute(0, 2, 1)
        level = torch.sqrt(real**2 + imaginary**2 + 1e-12)
        x = self.bands(torch.stack((level, real, imaginary), dim=1))
        x = self.unfold(x).reshape(x.shape[0], x.shape[1] * 3, x.shape[2], x.shape[3])
        x = self.first(x)
        a, b = torch.chunk(x, chunks=2, dim=1)
        y = self.last(self.depth(F.pad(self.point(a), [0, 0, 2, 0])))
        at = self.attend(torch.mean(y.pow(2), dim=-1).transpose(1, 2))[0]
        y = y * torch.sigmoid(self.gate(at).transpose(1, 2))[..., None]
        x = torch.stack((y, b), dim=1).transpose(1, 2).contiguous().flatten(1, 2)
        y = x.permute(0, 2, 3, 1)
        y = y + self.norm(self.intra(y.reshape(12, 8, 12))[0].reshape(1, 12, 8, 12))
        z = self.inter(y.permute(0, 2, 1, 3).reshape(8, 12, 12))[0].reshape(1, 8, 12, 12).permute(0, 2, 1, 3)
        mask = self.spread(torch.tanh(self.up((y + self.norm(z)).permute(0, 3, 1, 2))))
        s_real, s_imag = real * mask[:, 0] - imaginary * mask[:, 1], imaginary * mask[:, 0] + real * mask[:, 1]
        return torch.stack((s_real, s_imag), -1).permute(0, 2, 1, 3)


@model(1, 1, 65, states=[(2, 1, 16), (2, 1, 16)])
class Dtln(nn.Module):
    """The first core: a mask of two LSTMs, then an encoded frame that is normalized and decoded."""

    def __init__(self):
        super().__init__()
        self.lstm, self.dense = nn.LSTM(65, 16, 2, batch_first=True, dropout=0.25), nn.Linear(16, 65)
        self.encode, self.decode = nn.Conv1d(65, 32, 1, bias=False), nn.Conv1d(32, 65, 1, bias=False)
        self.gain, self.shift = nn.Parameter(torch.ones(1, 1, 32)), nn.Parameter(torch.zeros(1, 1, 32))

    def forward(self, x, h, c):
        y, (h, c) = self.lstm(x, (h, c))
        y = self.encode((x * torch.sigmoid(self.dense(y))).permute(0, 2, 1)).permute(0, 2, 1)
        mean = y.mean(-1, keepdim=True)
        var = torch.mean((y - mean) ** 2, dim=-1, keepdim=True)
        y = (y - mean) / torch.sqrt(var + 1e-7) * self.gain + self.shift
        return self.decode(y.permute(0, 2, 1)).permute(0, 2, 1), h, c


@model(1, 1, 320)
class ConvTasNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Conv1d(1, 24, 16, 8, bias=False), nn.ConvTranspose1d(24, 1, 16, 8, bias=False)
        self.gain, self.shift = nn.Parameter(torch.ones(1, 24, 1)), nn.Parameter(torch.zeros(1, 24, 1))
        self.bottleneck = nn.Conv1d(24, 16, 1)
        self.blocks = nn.ModuleList(nn.ModuleDict({
            "a": nn.Conv1d(16, 32, 1), "p": nn.PReLU(), "n": nn.GroupNorm(1, 32, eps=1e-8), "q": nn.PReLU(),
            "d": nn.Conv1d(32, 32, 3, padding=2**i, dilation=2**i, groups=32), "m": nn.GroupNorm(1, 32, eps=1e-8),
            "r": nn.Conv1d(32, 16, 1), "s": nn.Conv1d(32, 16, 1),
        }) for i in range(3))  # fmt: skip
        self.mask = nn.Sequential(nn.PReLU(), nn.Conv1d(16, 48, 1), nn.Sigmoid())

    def forward(self, x):
        w = F.relu(self.encoder(x))
        mean = w.mean(dim=1, keepdim=True).mean(dim=2, keepdim=True)
        var = ((w - mean) ** 2).mean(dim=1, keepdim=True).mean(dim=2, keepdim=True)
        y = self.bottleneck(self.gain * (w - mean) / torch.pow(var + 1e-8, 0.5) + self.shift)
        total = 0
        for b in self.blocks:
            z = b["m"](b["q"](b["d"](b["n"](b["p"](b["a"](y))))))
            y, total = y + b["r"](z), total + b["s"](z)
        masks = torch.chunk(self.mask(total), 2, dim=1)
        return torch.cat([self.decoder(w * mask) for mask in masks], 1)


@model(1, 1, 340)
class DemucsTiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv1d(a, b, 8, 4), nn.ReLU(), nn.Conv1d(b, 2 * b, 1), nn.GLU(1))
            for a, b in ((1, 8), (8, 16))
        )
        self.lstm, self.linear = nn.LSTM(16, 16, 1, bidirectional=True), nn.Linear(32, 16)
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv1d(a, 2 * a, 1), nn.GLU(1), nn.ConvTranspose1d(a, b, 8, 4))
            for a, b in ((16, 8), (8, 1))
        )

    def forward(self, mix):
        spread = mix.mean(dim=1, keepdim=True).std(dim=-1, keepdim=True)
        x, skips = mix / (1e-3 + spread), []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        x = self.linear(self.lstm(x.permute(2, 0, 1))[0]).permute(1, 2, 0)
        x = self.up[0](x + skips.pop()[..., : x.shape[-1]])
        return spread * self.up[1](F.relu(x) + skips.pop()[..., : x.shape[-1]])


@model(1, 1, 257)
class WaveUNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.ModuleList(nn.Conv1d(a, b, 15, padding=7) for a, b in ((1, 8), (8, 12)))
        self.middle = nn.Conv1d(12, 16, 15, padding=7)
        self.up = nn.ModuleList(nn.Conv1d(a, b, 5, padding=2) for a, b in ((28, 12), (20, 8)))
        self.out = nn.Conv1d(9, 1, 1)

    def forward(self, x):
        y, skips = x, []
        for conv in self.down:
            y = F.leaky_relu(conv(y), 0.1)
            skips.append(y)
            y = y[:, :, ::2]
        y = F.leaky_relu(self.middle(y), 0.1)
        for conv in self.up:
            y = F.interpolate(y, size=2 * y.shape[-1] - 1, mode="linear", align_corners=True)
            skip = skips.pop()
            y = F.leaky_relu(conv(torch.cat((y, skip[..., : y.shape[-1]]), 1)), 0.1)
        return torch.tanh(self.out(torch.cat((y, x), 1)))


@model(1, 4, 24, states=[(1, 8, 2, 24), (1, 24, 6)])
class StreamingConformer(nn.Module):
    """A chunk of frames with a cache of keys and values and one of the convolution, both in and out."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(24) for _ in range(4))
        self.q, self.k, self.v, self.out = (nn.Linear(24, 24) for _ in range(4))
        self.wide, self.narrow = nn.Conv1d(24, 48, 1), nn.Conv1d(24, 24, 1)
        self.depth, self.norm = nn.Conv1d(24, 24, 7, groups=24), nn.LayerNorm(24)
        self.ff = nn.Sequential(nn.Linear(24, 48), nn.SiLU(), nn.Linear(48, 24))

    def forward(self, x, keys, tail):
        y = self.norms[0](x)
        q, k, v = (f(y).view(1, -1, 2, 12).transpose(1, 2) for f in (self.q, self.k, self.v))
        old = torch.split(keys.permute(0, 2, 1, 3), 12, dim=-1)
        k, v = torch.cat((old[0], k), dim=2), torch.cat((old[1], v), dim=2)
        cache = torch.cat((k, v), dim=-1)[:, :, -8:].permute(0, 2, 1, 3)
        scores = torch.matmul(q, k.transpose(-2, -1)) / math.sqrt(12)
        y = torch.matmul(torch.softmax(scores, -1), v).transpose(1, 2).contiguous().view(1, -1, 24)
        x = x + self.out(y)
        y = F.glu(self.wide(self.norms[1](x).transpose(1, 2)), dim=1)
        y = torch.cat((tail, y), dim=2)
        tail = y[:, :, -6:]
        y = self.narrow(F.silu(self.norm(self.depth(y).transpose(1, 2)).transpose(1, 2))).transpose(1, 2)
        x = x + y
        return self.norms[3](x + 0.5 * self.ff(self.norms[2](x))), cache, tail


@model(1, 16, 16)
class RelativeConformer(nn.Module):
    """Attention as Transformer-XL has it: content and position terms, the latter shifted by padding and views."""

    def __init__(self):
        super().__init__()
        self.norm, self.q, self.k, self.v, self.out = nn.LayerNorm(16), *(nn.Linear(16, 16) for _ in range(4))
        self.pos, self.u, self.w = nn.Linear(16, 16, bias=False), *(nn.Parameter(torch.randn(2, 8)) for _ in range(2))
        at = torch.arange(15, -16, -1).float()[:, None] / torch.pow(10000.0, torch.arange(0, 16, 2) / 16)
        self.register_buffer("pe", torch.stack((at.sin(), at.cos()), -1).flatten(1)[None])

    def forward(self, x):
        y = self.norm(x)
        q = self.q(y).view(1, -1, 2, 8)
        k, v = (f(y).view(1, -1, 2, 8).transpose(1, 2) for f in (self.k, self.v))
        p = self.pos(self.pe).view(1, -1, 2, 8).transpose(1, 2)
        ac = torch.matmul((q + self.u).transpose(1, 2), k.transpose(-2, -1))
        bd = torch.matmul((q + self.w).transpose(1, 2), p.transpose(-2, -1))
        padded = torch.cat((torch.zeros((*bd.size()[:3], 1)), bd), dim=-1)
        padded = padded.view(*bd.size()[:2], bd.size(3) + 1, bd.size(2))
        bd = padded[:, :, 1:].view_as(bd)[:, :, :, : bd.size(-1) // 2 + 1]
        weights = torch.softmax((ac + bd) / math.sqrt(8), dim=-1)
        return x + self.out(torch.matmul(weights, v).transpose(1, 2).contiguous().view(1, -1, 16))


@model(1, 16, 16)
class Squeezeformer(nn.Module):
    """Half the rate in the middle: a strided depthwise convolution down, repetition up."""

    def __init__(self):
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(16)), nn.Parameter(torch.zeros(16))
        self.down, self.point = nn.Conv1d(16, 16, 3, 2, 1, groups=16), nn.Conv1d(16, 16, 1)
        self.attention, self.norm = nn.MultiheadAttention(16, 2, batch_first=True), nn.LayerNorm(16)
        self.ff, self.back = nn.Sequential(nn.Linear(16, 32), nn.SiLU(), nn.Linear(32, 16)), nn.Linear(16, 16)

    def forward(self, x):
        y = self.point(self.down(x.transpose(1, 2))).transpose(1, 2)
        z = y * self.scale + self.shift
        y = self.norm(y + self.attention(z, z, z)[0])
        y = self.norm(y + self.ff(y))
        return x + self.back(torch.repeat_interleave(y, repeats=2, dim=1)[:, : x.shape[1]])


@model(1, 16, 16)
class Zipformer(nn.Module):
    """BiasNorm, Swoosh activations, a learned average of pairs of frames, bypasses."""

    def __init__(self):
        super().__init__()
        self.bias, self.log_scale = nn.Parameter(torch.randn(16) / 9), nn.Parameter(torch.zeros(()))
        self.pair, self.bypass = nn.Parameter(torch.randn(2)), nn.Parameter(torch.full((16,), 0.5))
        self.up, self.down, self.conv = nn.Linear(16, 48), nn.Linear(48, 16), nn.Conv1d(16, 16, 5, padding=2, groups=16)
        self.a, self.b = nn.Linear(16, 48), nn.Linear(16, 16)

    def swoosh(self, x, offset, shift):
        return torch.logaddexp(torch.zeros(1), x - offset) - 0.08 * x - shift

    def forward(self, x):
        y = self.down(self.swoosh(self.up(x), 4.0, 0.035))
        weights = self.pair.softmax(dim=0).unsqueeze(-1)
        half = (y.reshape(1, 8, 2, 16) * weights).sum(dim=2)
        s, g, v = self.a(half).chunk(3, dim=-1)
        half = half + self.b(v * torch.tanh(s) * g)
        y = half.unsqueeze(2).expand(1, 8, 2, 16).reshape(1, 16, 16)
        y = self.swoosh(self.conv(y.transpose(1, 2)).transpose(1, 2), 1.0, 0.313261687)
        y = x + (y - x) * self.bypass
        return y * (torch.mean((y - self.bias) ** 2, dim=-1, keepdim=True) ** -0.5 * self.log_scale.exp())


@model(1, 20, 16)
class WhisperEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv1d(16, 16, 3, padding=1), nn.Conv1d(16, 16, 3, 2, 1)
        self.a, self.b, self.c = (nn.LayerNorm(16) for _ in range(3))
        self.q, self.k, self.v, self.o = (nn.Linear(16, 16, bias=i != 1) for i in range(4))
        self.mlp = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 16))
        self.register_buffer("positions", torch.randn(10, 16))

    def forward(self, x):
        x = F.gelu(self.conv2(F.gelu(self.conv1(x.permute(0, 2, 1))))).permute(0, 2, 1)
        x = (x + self.positions).to(x.dtype)
        y, scale = self.a(x), 8**-0.25
        q = self.q(y).view(*y.shape[:2], 2, -1).permute(0, 2, 1, 3) * scale
        k = self.k(y).view(*y.shape[:2], 2, -1).permute(0, 2, 3, 1) * scale
        v = self.v(y).view(*y.shape[:2], 2, -1).permute(0, 2, 1, 3)
        w = F.softmax((q @ k).float(), dim=-1).to(q.dtype)
        x = x + self.o((w @ v).permute(0, 2, 1, 3).flatten(start_dim=2))
        return self.c(x + self.mlp(self.b(x)))


@model(1, 640)
class Wav2Vec(nn.Module):
    """Convolutions with one group norm, and a grouped positional convolution with weight norm."""

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv1d(a, 16, k, s, bias=False) for a, k, s in ((1, 10, 5), (16, 3, 2), (16, 2, 2))
        )
        self.group, self.norm = nn.GroupNorm(16, 16), nn.LayerNorm(16)
        self.positions = nn.utils.parametrizations.weight_norm(nn.Conv1d(16, 16, 8, padding=4, groups=4), dim=2)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, activation="gelu", batch_first=True)

    def forward(self, x):
        x = (x - x.mean(-1, keepdim=True)) / torch.sqrt(x.var(-1, keepdim=True, unbiased=False) + 1e-7)
        x = x.unsqueeze(1)
        for i, conv in enumerate(self.convs):
            x = conv(x)
            x = F.gelu(self.group(x) if i == 0 else x)
        x = self.norm(x.transpose(1, 2))
        x = x + F.gelu(self.positions(x.transpose(1, 2))[:, :, :-1]).transpose(1, 2)
        return self.layer(x)


@model(1, 1, 640)
class CpcGru(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv1d(a, 16, k, s, p) for a, k, s, p in ((1, 10, 5, 3), (16, 8, 4, 2), (16, 4, 2, 1))
        )
        self.norms = nn.ModuleList(nn.InstanceNorm1d(16, affine=True) for _ in range(3))
        self.gru = nn.GRU(16, 16, batch_first=True)

    def forward(self, x):
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.relu(norm(conv(x)))
        self.gru.flatten_parameters()
        return self.gru(x.permute(0, 2, 1))[0]
