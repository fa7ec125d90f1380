"""Recurrences and state-space layers written in PyTorch, learned front ends, and ways in which people spell things."""

import math

import torch
from torch import nn
from torch.nn import functional as F
from torch_models import model


@model(1, 8, 12)
class Mamba(nn.Module):
    """A selective scan as a loop over time."""

    def __init__(self):
        super().__init__()
        self.inner, self.conv = nn.Linear(12, 32, bias=False), nn.Conv1d(16, 16, 4, groups=16, padding=3)
        self.x_proj, self.dt, self.out = nn.Linear(16, 9, bias=False), nn.Linear(1, 16), nn.Linear(16, 12, bias=False)
        self.a_log, self.d = nn.Parameter(torch.log(torch.arange(1.0, 5).repeat(16, 1))), nn.Parameter(torch.ones(16))

    def forward(self, x):
        n, t, _ = x.shape
        u, gate = self.inner(x).split([16, 16], dim=-1)
        u = F.silu(self.conv(u.transpose(1, 2))[:, :, :t]).transpose(1, 2)
        delta, b, c = self.x_proj(u).split([1, 4, 4], dim=-1)
        delta, a = F.softplus(self.dt(delta)), -torch.exp(self.a_log.float())
        decay = torch.exp(torch.einsum("bld,dn->bldn", delta, a))
        fed = torch.einsum("bld,bln,bld->bldn", delta, b, u)
        state, ys = torch.zeros((n, 16, 4)), []
        for i in range(t):
            state = decay[:, i] * state + fed[:, i]
            ys.append(torch.einsum("bdn,bn->bd", state, c[:, i]))
        return self.out((torch.stack(ys, dim=1) + u * self.d) * F.silu(gate))


@model(1, 32, 8)
class S4D(nn.Module):
    """A diagonal state space as a convolution by the Fourier transform, and a gated output."""

    def __init__(self):
        super().__init__()
        self.dt, self.d = nn.Parameter(torch.rand(8) * 0.1), nn.Parameter(torch.randn(8))
        self.c, self.a = nn.Parameter(torch.randn(8, 4, 2)), nn.Parameter(torch.log(0.5 * torch.ones(8, 4)))
        self.frequency, self.out = nn.Parameter(torch.arange(4.0).repeat(8, 1)), nn.Conv1d(8, 16, 1)

    def kernel(self, length):
        a = torch.complex(-torch.exp(self.a), math.pi * self.frequency) * self.dt.unsqueeze(-1)
        c = torch.view_as_complex(self.c) * (torch.exp(a) - 1.0)
        return 2 * torch.einsum("hn,hnl->hl", c, torch.exp(a.unsqueeze(-1) * torch.arange(length))).real

    def forward(self, u):
        u, n = u.transpose(1, 2), u.shape[1]
        y = torch.fft.irfft(torch.fft.rfft(u, n=2 * n) * torch.fft.rfft(self.kernel(n), n=2 * n), n=2 * n)[..., :n]
        return F.glu(self.out(F.gelu(y + u * self.d.unsqueeze(-1))), dim=-2).transpose(1, 2)


@model(1, 16, 6)
class LmuLoop(nn.Module):
    """A Legendre memory unit, one step at a time, with constants made when the module is."""

    def __init__(self):
        super().__init__()
        q = torch.arange(6.0)
        r = (2 * q + 1)[:, None] / 20
        i, j = torch.meshgrid(q, q, indexing="ij")
        a = torch.where(i < j, torch.tensor(-1.0), torch.pow(-1.0, i - j + 1)) * r
        self.register_buffer("a", torch.matrix_exp(a))
        self.register_buffer("b", (torch.pow(-1.0, q)[:, None] * r).T)
        self.ex, self.eh, self.em = (
            nn.Linear(6, 1, bias=False),
            nn.Linear(10, 1, bias=False),
            nn.Linear(6, 1, bias=False),
        )
        self.wx, self.wh, self.wm = nn.Linear(6, 10), nn.Linear(10, 10, bias=False), nn.Linear(6, 10, bias=False)

    def forward(self, x):
        h, m = x.new_zeros(x.size(0), 10), x.new_zeros(x.size(0), 6)
        for t in range(x.size(1)):
            u = F.relu(self.ex(x[:, t]) + self.eh(h) + self.em(m))
            m = F.linear(m, self.a) + F.linear(u, self.b.T)
            h = torch.tanh(self.wx(x[:, t, :]) + self.wh(h) + self.wm(m))
        return h


@model(1, 8, 12)
class Rwkv(nn.Module):
    """Time mixing in its numerically safe form, and channel mixing."""

    def __init__(self):
        super().__init__()
        self.mix, self.decay, self.first = (
            nn.Parameter(torch.rand(5, 1, 1, 12)),
            *(nn.Parameter(torch.randn(12)) for _ in "ab"),
        )
        self.k, self.v, self.r, self.o = (nn.Linear(12, 12, bias=False) for _ in range(4))
        self.up, self.down, self.gate = nn.Linear(12, 32, bias=False), nn.Linear(32, 12, bias=False), nn.Linear(12, 12)
        self.shift, self.a, self.b = nn.ZeroPad2d((0, 0, 1, -1)), nn.LayerNorm(12), nn.LayerNorm(12)

    def forward(self, x):
        y = self.a(x)
        old = self.shift(y)
        k, v, r = (f(y * m + old * (1 - m)) for f, m in zip((self.k, self.v, self.r), self.mix, strict=False))
        num, den, top = torch.zeros_like(k[:, 0]), torch.zeros_like(k[:, 0]), torch.full_like(k[:, 0], -30.0)
        rows, w = [], -torch.exp(self.decay)
        for t in range(x.shape[1]):
            at = torch.maximum(top, self.first + k[:, t])
            e1, e2 = torch.exp(top - at), torch.exp(self.first + k[:, t] - at)
            rows.append((e1 * num + e2 * v[:, t]) / (e1 * den + e2))
            at = torch.maximum(top + w, k[:, t])
            e1, e2 = torch.exp(top + w - at), torch.exp(k[:, t] - at)
            num, den, top = e1 * num + e2 * v[:, t], e1 * den + e2, at
        x = x + self.o(torch.sigmoid(r) * torch.stack(rows, 1))
        y = self.b(x)
        return x + torch.sigmoid(self.gate(y)) * self.down(torch.square(torch.relu(self.up(y))))


@model(1, 10, 16)
class Leaky(nn.Module):
    """Spiking layers as snnTorch unrolls them: reset by subtraction, spikes counted at the end."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.beta = nn.Linear(16, 24), nn.Linear(24, 5), nn.Parameter(torch.full((24,), 0.9))

    def fire(self, x, mem, beta):
        reset = (mem - 1.0 > 0).float()
        mem = beta.clamp(0, 1) * mem + x - reset * 1.0
        return (mem - 1.0 > 0).to(x.dtype), mem

    def forward(self, x):
        m1, m2, total = torch.zeros(1, 24), torch.zeros(1, 5), torch.zeros(1, 5)
        for t in range(x.shape[1]):
            s, m1 = self.fire(3 * self.a(x[:, t]), m1, self.beta)
            s, m2 = self.fire(2 * self.b(s), m2, torch.tensor(0.8))
            total = total + s
        return total / x.shape[1], m2


@model(1, 6, 12)
class SpikingJelly(nn.Module):
    """Neurons with a decaying input and a hard reset, and a batch norm before each."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv1d(1, 8, 3, padding=1), nn.BatchNorm1d(8), nn.Linear(96, 4)

    def forward(self, x):
        v, out = 0.0, 0.0
        for t in range(x.shape[1]):
            y = self.norm(self.conv(x[:, t : t + 1]))
            v = v + (y - (v - 0.0)) / 2.0
            spike = torch.heaviside(v - 0.5, torch.ones(1))
            v = (1.0 - spike) * v + spike * 0.0
            out = out + self.head(spike.flatten(1))
        return out / x.shape[1]


@model(1, 12, 40)
class TcnWeightNorm(nn.Module):
    """Bai's: weight norm of both kinds, padding on both sides and chomping."""

    def __init__(self):
        super().__init__()
        norm, old = nn.utils.parametrizations.weight_norm, nn.utils.weight_norm
        self.a = norm(nn.Conv1d(12, 16, 3, padding=2))
        self.b = old(nn.Conv1d(16, 16, 3, padding=4, dilation=2))
        self.skip, self.head = nn.Conv1d(12, 16, 1), nn.Linear(16, 5)

    def forward(self, x):
        y = F.relu(self.a(x)[:, :, :-2].contiguous())
        y = F.relu(self.b(y)[:, :, :-4].contiguous())
        return F.log_softmax(self.head(F.relu(y + self.skip(x))[:, :, -1]), dim=1)


@model(1, 1, 800)
class SincNet(nn.Module):
    """Band passes computed from two parameters each, with the module."""

    def __init__(self):
        super().__init__()
        self.low, self.band = nn.Parameter(torch.rand(8, 1) * 2000), nn.Parameter(torch.rand(8, 1) * 500)
        self.register_buffer("n", 2 * math.pi * torch.arange(-20.0, 0).view(1, -1) / 16000)
        self.register_buffer("window", torch.hamming_window(41)[:20])
        self.norms, self.conv = nn.ModuleList((nn.LayerNorm([8, 127]), nn.BatchNorm1d(8))), nn.Conv1d(8, 12, 5)
        self.head = nn.Linear(12, 4)

    def filters(self):
        low = 50 + torch.abs(self.low)
        high = torch.clamp(low + 50 + torch.abs(self.band), 50, 8000)
        left = (
            (torch.sin(torch.matmul(high, self.n)) - torch.sin(torch.matmul(low, self.n))) / (self.n / 2) * self.window
        )
        whole = torch.cat((left, 2 * (high - low), torch.flip(left, dims=[1])), dim=1) / (2 * (high - low))
        return whole.view(8, 1, 41)

    def forward(self, x):
        y = F.max_pool1d(torch.abs(F.conv1d(x, self.filters(), stride=2)), 3)
        y = F.leaky_relu(self.norms[0](F.pad(y, (0, 1))))
        return self.head(F.leaky_relu(self.conv(self.norms[1](y))).mean(-1))


@model(1, 1, 640)
class Leaf(nn.Module):
    """Complex band passes, squared modulus, Gaussian pooling, and gain normalization per channel over time."""

    def __init__(self):
        super().__init__()
        self.conv, self.width = (
            nn.Conv1d(1, 16, 41, padding=20, bias=False),
            nn.Parameter(torch.rand(1, 1, 8, 1) / 2 + 0.1),
        )
        self.alpha, self.delta, self.root = (nn.Parameter(torch.rand(8) + 0.5) for _ in range(3))
        self.ema, self.head = nn.Parameter(torch.full((8,), 0.1)), nn.Linear(8, 3)

    def forward(self, x):
        y = self.conv(x).transpose(1, 2)
        y = (y.reshape(1, -1, 8, 2) ** 2).sum(-1).transpose(1, 2)
        t = torch.arange(0, 41).view(1, 41, 1, 1)
        kernel = torch.exp(-0.5 * ((t - 20) / (self.width.clamp(2.0 / 41, 0.5) * 20)) ** 2).squeeze(-1).permute(2, 0, 1)
        y = F.conv1d(y, kernel, stride=32, padding=20, groups=8).clamp(min=1e-5)
        smooth = [y[:, :, 0]]
        for i in range(1, y.shape[-1]):
            smooth.append(self.ema.clamp(0, 1) * y[:, :, i] + (1 - self.ema.clamp(0, 1)) * smooth[-1])
        level = torch.stack(smooth, -1).transpose(1, 2)
        alpha, root = torch.min(self.alpha, torch.tensor(1.0)), 1 / torch.max(self.root, torch.tensor(1.0))
        y = (y.transpose(1, 2) / (1e-6 + level) ** alpha + self.delta) ** root - self.delta**root
        return self.head(y)


@model(1, 12, 8)
class FastGrnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.w1, self.w2, self.u1, self.u2 = (
            nn.Parameter(torch.randn(s) / 3) for s in ((8, 4), (4, 12), (12, 4), (4, 12))
        )
        self.b, self.c = nn.Parameter(torch.ones(1, 12)), nn.Parameter(torch.ones(1, 12))
        self.zeta, self.nu = nn.Parameter(torch.ones(1, 1)), nn.Parameter(-4 * torch.ones(1, 1))
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        h = torch.zeros(x.shape[0], 12)
        for step in torch.unbind(x, dim=1):
            pre = torch.mm(torch.mm(step, self.w1), self.w2) + torch.matmul(torch.matmul(h, self.u1), self.u2)
            z, c = torch.sigmoid(pre + self.b), torch.tanh(pre + self.c)
            h = z * h + (torch.sigmoid(self.zeta) * (1.0 - z) + torch.sigmoid(self.nu)) * c
        return self.head(h)


@model(1, 24, 10)
class BiGruAttention(nn.Module):
    """Attention pooling of a bidirectional GRU by a learned query, and prototypes by distance."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(10, 12, batch_first=True, bidirectional=True)
        self.query, self.prototypes = nn.Parameter(torch.randn(24)), nn.Parameter(torch.randn(6, 24))

    def forward(self, x):
        y, last = self.gru(x)
        weights = torch.softmax(torch.matmul(torch.tanh(y), self.query), dim=1)
        whole = torch.sum(weights.unsqueeze(-1) * y, dim=1) + torch.cat((last[0], last[1]), dim=1)
        return -torch.cdist(whole, self.prototypes), F.cosine_similarity(
            whole.unsqueeze(1), self.prototypes[None], dim=-1
        )


@model(1, 10, 16)
class Masks(nn.Module):
    """Masks of every kind, before and inside attention."""

    def __init__(self):
        super().__init__()
        self.qkv, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.register_buffer("band", torch.ones(10, 10).tril().triu(-3))
        self.mha = nn.MultiheadAttention(16, 2, batch_first=True)

    def heads(self, x):
        return (y.view(1, 10, 2, 8).transpose(1, 2) for y in self.qkv(x).chunk(3, -1))

    def forward(self, x):
        q, k, v = self.heads(x)
        dots = q @ k.transpose(-2, -1) / 8**0.5
        x = x + (dots.masked_fill(self.band[None, None] == 0, float("-inf")).softmax(-1) @ v).transpose(1, 2).flatten(2)
        q, k, v = self.heads(x)
        x = x + F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        q, k, v = self.heads(x)
        x = x + F.scaled_dot_product_attention(q, k, v, self.band.bool()).transpose(1, 2).flatten(2)
        causal = torch.triu(torch.full((10, 10), float("-inf")), 1)
        x = x + self.mha(x, x, x, attn_mask=causal, need_weights=False)[0]
        q, k, v = self.heads(x)
        dots = torch.matmul(q, k.mT) * 8**-0.5
        dots = torch.where(torch.ones(10, 10).tril().bool(), dots, torch.tensor(-1e9))
        return self.out((F.softmax(dots, dim=-1) @ v).transpose(1, 2).reshape(1, 10, 16))


@model(1, 10, 16)
class MoreMasks(nn.Module):
    """Biases of position on the scores, as ALiBi and T5 have them, and a mask over the keys of a padded clip."""

    def __init__(self):
        super().__init__()
        self.qkv, self.table = nn.Linear(16, 48), nn.Parameter(torch.randn(2, 19) / 2)
        at = torch.arange(10)
        self.register_buffer(
            "slopes", -(at[:, None] - at[None]).abs().float() * torch.tensor([0.5, 0.25])[:, None, None]
        )
        self.register_buffer("index", at[:, None] - at[None] + 9)

    def heads(self, x):
        return (y.view(1, 10, 2, 8).transpose(1, 2) for y in self.qkv(x).chunk(3, -1))

    def forward(self, x):
        q, k, v = self.heads(x)
        x = x + F.scaled_dot_product_attention(q, k, v, attn_mask=self.slopes[None]).transpose(1, 2).flatten(2)
        q, k, v = self.heads(x)
        dots = q @ k.transpose(-2, -1) * 8**-0.5 + self.table[:, self.index].unsqueeze(0)
        x = x + (dots.softmax(-1) @ v).transpose(1, 2).flatten(2)
        q, k, v = self.heads(x)
        padding = (torch.arange(10) >= 8)[None, None, None]
        dots = (q @ k.transpose(-2, -1) * 8**-0.5).masked_fill(padding, torch.finfo(torch.float32).min)
        return x + (dots.softmax(-1) @ v).transpose(1, 2).flatten(2)


@model(1, 12, 32)
class Llama(nn.Module):
    """Rotary positions by halves and by pairs, grouped queries, RMS norm by hand, a gated layer."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(32, n, bias=False) for n in (32, 16, 16, 32))
        self.gate, self.up, self.down = (nn.Linear(*n, bias=False) for n in ((32, 48), (32, 48), (48, 32)))
        self.a, self.b = nn.Parameter(torch.ones(32)), nn.Parameter(torch.ones(32))
        inv = 1.0 / (10000.0 ** (torch.arange(0, 8, 2).float() / 8))
        self.register_buffer("inv", inv)

    def norm(self, x, gain):
        return gain * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))

    def rotate(self, x, cos, sin):
        half = torch.cat((-x[..., x.shape[-1] // 2 :], x[..., : x.shape[-1] // 2]), dim=-1)
        return x * cos + half * sin

    def forward(self, x):
        angle = torch.outer(torch.arange(12).float(), self.inv)
        emb = torch.cat((angle, angle), dim=-1)
        cos, sin, y = emb.cos()[None, None], emb.sin()[None, None], self.norm(x, self.a)
        q, k, v = (f(y).view(1, 12, -1, 8).transpose(1, 2) for f in (self.q, self.k, self.v))
        q, k = self.rotate(q, cos, sin), self.rotate(k, cos, sin)
        k, v = (z[:, :, None].expand(1, 2, 2, 12, 8).reshape(1, 4, 12, 8) for z in (k, v))
        x = x + self.o(F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(1, 12, 32))
        y = self.norm(x, self.b)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


@model(1, 12, 32)
class GroupedQueries(nn.Module):
    """Grouped attention by torch itself, and rotary positions as products of complex numbers."""

    def __init__(self):
        super().__init__()
        self.q, self.kv, self.o = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 32)
        angle = torch.outer(torch.arange(12).float(), 1.0 / 100 ** (torch.arange(4).float() / 4))
        self.register_buffer("turn", torch.polar(torch.ones_like(angle), angle))

    def rotate(self, x):
        pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
        return torch.view_as_real(pairs * self.turn[:, None]).flatten(3)

    def forward(self, x):
        q, (k, v) = self.rotate(self.q(x).view(1, 12, 4, 8)), self.kv(x).view(1, 12, 2, 2, 8).unbind(2)
        q, k, v = q.transpose(1, 2), self.rotate(k).transpose(1, 2), v.transpose(1, 2)
        return self.o(F.scaled_dot_product_attention(q, k, v, enable_gqa=True).transpose(1, 2).flatten(2))


@model(1, 16, 16)
class SlidingWindows(nn.Module):
    """Every query sees the frames around it, which `unfold` lays side by side."""

    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(16, 16) for _ in range(3))

    def forward(self, x):
        q = self.q(x).unsqueeze(2)
        k = F.pad(self.k(x), (0, 0, 2, 2)).unfold(1, 5, 1)
        v = F.pad(self.v(x), (0, 0, 2, 2)).unfold(1, 5, 1)
        weights = torch.softmax(torch.matmul(q, k) / 4, dim=-1)
        return torch.matmul(weights, v.transpose(-1, -2)).squeeze(2)


@model(1, 1024)
class Spectra(nn.Module):
    """`torch.stft` over reflected borders, mel bands in decibels, deltas, normalization over the clip."""

    def __init__(self):
        super().__init__()
        self.register_buffer("window", torch.hann_window(128))
        self.register_buffer("mel", torch.rand(65, 16) / 32)
        self.register_buffer("dct", torch.randn(16, 8) / 4)
        self.conv = nn.Conv1d(16, 4, 3)

    def forward(self, x):
        s = torch.stft(x, 128, 64, window=self.window, center=True, pad_mode="reflect", return_complex=True)
        power = torch.view_as_real(s).pow(2).sum(-1)
        mel = 10 * torch.log10(torch.clamp(torch.matmul(power.transpose(1, 2), self.mel), min=1e-3))
        y = torch.matmul(mel - mel.amax((1, 2), keepdim=True), self.dct).transpose(1, 2)
        taps = torch.arange(-2.0, 3).repeat(8, 1, 1)
        y = torch.cat((y, F.conv1d(F.pad(y, (2, 2), mode="replicate"), taps, groups=8) / 10), 1)
        return self.conv((y - y.mean(-1, keepdim=True)) / (y.std(-1, keepdim=True) + 1e-5))


@model(1, 64, states=[(1, 64)])
class InverseSpectrum(nn.Module):
    """A mask on the spectrum of a frame, back to samples and added to what overlaps."""

    def __init__(self):
        super().__init__()
        self.mask = nn.Sequential(nn.Linear(33, 24), nn.ReLU(), nn.Linear(24, 33), nn.Sigmoid())

    def forward(self, x, tail):
        s = torch.fft.rfft(x)
        y = torch.fft.irfft(s * self.mask(s.abs()), n=64) + tail
        return y[:, :32], F.pad(y[:, 32:], (0, 32))


@model(1, 8, 6, 10)
class Einsums(nn.Module):
    def __init__(self):
        super().__init__()
        self.w, self.u, self.v = (nn.Parameter(torch.randn(s) / 3) for s in ((8, 12), (10, 10), (6, 5)))

    def forward(self, x):
        y = torch.einsum("bcft,cd->bdft", x, self.w)
        y = torch.einsum("nctv,vw->nctw", y, self.u)
        z = torch.einsum("bcft,bcst->bcfs", y, y) / 10
        outer = torch.einsum("bi,bj->bij", y[:, 0, 0], y[:, 1, 1])
        return (
            torch.einsum("bcfs,sk->bckf", z, self.v),
            torch.einsum("...ij,...jk->...ik", outer, self.u),
            y.sum((1, 2)) + (torch.einsum("bcft->bt", y) + torch.einsum("bcft,bcft->bt", y, y)),
        )


@model(1, 8, 12)
class Movements(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("order", torch.randperm(12))
        self.a = nn.Linear(12, 12)

    def forward(self, x):
        y = torch.index_select(self.a(x), 2, self.order) + x[:, :, self.order] + x.flip([1]) + torch.roll(x, 3)
        y = y + torch.cumsum(x, 1) + torch.rot90(x.unsqueeze(1), 2, (2, 3)).squeeze(1) + x.roll((1, 2), (1, 2))
        z = torch.zeros(1, 8, 14)
        z[:, :, 1:13] = y
        z[:, ::2, 13] = y[:, ::2, 0]
        a, b, c = torch.tensor_split(z, [4, 9], dim=2)
        d = torch.gather(y, 2, torch.arange(11, -1, -1).expand(1, 8, 12)) + y.take_along_dim(self.order[None, None], 2)
        e = torch.repeat_interleave(x, torch.tensor([1, 2, 1, 2, 1, 2, 1, 2]), 1)
        f = y[:, torch.arange(4)[:, None], torch.arange(3)] + y[..., :3].movedim(-1, 1).mT[:, :4]
        return torch.cat((a, b, c, d), 2), torch.stack((e, e + 1), 2).flatten(1, 2), f, y.diagonal(0, 1, 2), y.tril()


@model(1, 8, 15, 10)
class PoolsAndSizes(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.lp = nn.Conv2d(8, 16, 3, padding=1, padding_mode="circular"), nn.LPPool2d(2, 3)

    def forward(self, x):
        y = self.conv(x)
        a = F.adaptive_avg_pool2d(y, (4, 3)) + F.adaptive_max_pool2d(y, (4, 3))
        b = F.pixel_unshuffle(F.pixel_shuffle(y, 2), 2) + F.channel_shuffle(y, 4)
        c = F.interpolate(b, size=(7, 5), mode="area") + F.interpolate(b, (7, 5), mode="bilinear", align_corners=True)
        d = F.interpolate(c, scale_factor=2, mode="bicubic") + F.interpolate(c, scale_factor=2, mode="nearest-exact")
        e = F.max_pool2d(y, 3, 2, 1, dilation=2)
        f = F.unfold(x, (3, 2), stride=2)
        return a, d, e, self.lp(y), F.avg_pool2d(y, 3, 2, 1, divisor_override=4), f, F.local_response_norm(y, 4)


@model(1, 10, 12)
class MoreActivations(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.bilinear = nn.Linear(12, 12), nn.Linear(12, 12), nn.Bilinear(12, 12, 6)

    def forward(self, x):
        y, z = self.a(x), self.b(x)
        u = F.relu6(y) + F.logsigmoid(z) + F.hardshrink(y, 0.3) + F.softshrink(z, 0.2) + F.threshold(y, 0.1, -0.5)
        u = (
            u
            + F.softmin(y, -1)
            + F.glu(torch.cat((y, z), -1))
            + y.sin() * z.cos()
            + torch.atan(y)
            + torch.sinc(z * 0.3)
        )
        u = u + torch.logaddexp(y, z) + torch.addcmul(y, z, z, value=0.5) + torch.lerp(y, z, 0.25) + (y * 0.1).sinh()
        v = torch.floor(y) + torch.ceil(z) + torch.round(y) + torch.frac(z) + torch.remainder(y, 1.5) + torch.trunc(z)
        w = y.norm(dim=-1) + y.norm(p=1, dim=-1) + torch.logsumexp(z, -1) + y.prod(-1) * 1e-3 + torch.var_mean(z, -1)[0]
        m = (y > 0) & (z <= 0.5) | ~(x == 0)
        return u, v, w, self.bilinear(y, z), torch.where(m, y, z * 2.0), y.clamp(z - 1, z + 1), torch.std(y, 1)


@model(1, 16, 12)
class KeywordMlp(nn.Module):
    """Gated MLP blocks whose gate is a convolution over time of half of the channels."""

    def __init__(self):
        super().__init__()
        self.embed, self.norm, self.up, self.down = (
            nn.Linear(12, 16),
            nn.LayerNorm(16),
            nn.Linear(16, 48),
            nn.Linear(24, 16),
        )
        self.gate_norm, self.spatial, self.head = nn.LayerNorm(24), nn.Conv1d(16, 16, 1), nn.Linear(16, 10)
        self.scale = nn.Parameter(torch.full((16,), 0.1))

    def forward(self, x):
        x = self.embed(x)
        for _ in range(2):  # tied
            u, v = self.up(self.norm(x)).chunk(2, dim=-1)
            x = x + self.scale * self.down(F.gelu(u) * self.spatial(self.gate_norm(v)))
        return self.head(x.mean(1))


@model(1, 1, 32, 24)
class ConvNext(nn.Module):
    """Layer norm over channels first, by permuting and by hand, layer scale, global response normalization."""

    def __init__(self):
        super().__init__()
        self.stem, self.depth = nn.Conv2d(1, 16, 4, 4), nn.Conv2d(16, 16, 7, padding=3, groups=16)
        self.gain, self.shift = nn.Parameter(torch.ones(16)), nn.Parameter(torch.zeros(16))
        self.norm, self.up, self.down = nn.LayerNorm(16, eps=1e-6), nn.Linear(16, 32), nn.Linear(32, 16)
        self.gamma, self.beta = nn.Parameter(torch.randn(1, 1, 1, 32)), nn.Parameter(torch.zeros(1, 1, 1, 32))

    def forward(self, x):
        x = self.stem(x)
        u = x.mean(1, keepdim=True)
        x = (x - u) / torch.sqrt((x - u).pow(2).mean(1, keepdim=True) + 1e-6)
        x = self.gain[:, None, None] * x + self.shift[:, None, None]
        y = F.gelu(self.up(self.norm(self.depth(x).permute(0, 2, 3, 1))))
        size = torch.norm(y, p=2, dim=(1, 2), keepdim=True)
        y = self.gamma * (y * (size / (size.mean(dim=-1, keepdim=True) + 1e-6))) + self.beta + y
        return (x + self.down(y).permute(0, 3, 1, 2)).mean([-2, -1])
