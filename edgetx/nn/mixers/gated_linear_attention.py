"""Linear attention whose state forgets by gates computed from the tokens (Yang et al., 2023)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from edgetx.nn.mixers.mixer import MixerInput
from edgetx.nn.torch_ops import linear_recurrence

_GATE_RANK, _GATE_DIVISOR = 16, 16


class GatedLinearAttention(nn.Module):
    """S[t] = diag(α[t]) S[t−1] + k[t] v[t]ᵀ, o[t] = S[t]ᵀ q[t] / √K per head; looks back only.

    α = σ(W₂ W₁ x + b)^(1/16). Heads are normalised by their root mean square, gated by SiLU and projected.
    K is half as wide as the values. The state before the first token is learned (as in Lina-Speech).
    """

    def __init__(self, given: MixerInput) -> None:
        super().__init__()
        width, self.heads = given.width, given.heads
        keys = width // 2
        if keys % self.heads:
            raise ValueError(f"gated_linear: half of width {width} is not divisible by heads {self.heads}")
        self.q, self.k = (nn.Linear(width, keys, bias=given.bias) for _ in range(2))
        self.v, self.output_gate = (nn.Linear(width, width, bias=given.bias) for _ in range(2))
        self.gate = nn.Sequential(nn.Linear(width, _GATE_RANK, bias=False), nn.Linear(_GATE_RANK, keys))
        self.norm = nn.RMSNorm(given.head_width, eps=1e-5)
        self.out = nn.Linear(width, width, bias=given.bias)
        self.initial = nn.Parameter(torch.zeros(self.heads, keys // self.heads, given.head_width))

    def forward(self, x: Tensor) -> Tensor:
        """Batch × tokens × width, in and out."""
        q, k, v, gate = (self._split_heads(t) for t in (self.q(x), self.k(x), self.v(x), self.gate(x)))
        decay = torch.exp(F.logsigmoid(gate) / _GATE_DIVISOR)
        states = linear_recurrence(decay.unsqueeze(-1), k.unsqueeze(-1) * v.unsqueeze(-2), self.initial)
        read = ((q * q.shape[-1] ** -0.5).unsqueeze(-2) @ states).squeeze(-2)
        mixed: Tensor = self.out(self.norm(read).flatten(2) * F.silu(self.output_gate(x)))
        return mixed

    def _split_heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.heads, -1)
