"""Every mixer against its equation, written out."""

import pytest
import torch
import torch.nn.functional as F

from edgetx.nn.mixers import MixerInput, make_mixer

TOKENS, WIDTH, HEADS = 12, 8, 2


def made(text, causal=False, heads=HEADS):
    torch.manual_seed(0)
    mixer = make_mixer(text, MixerInput(TOKENS, WIDTH, heads, True, causal)).eval()
    return mixer, torch.randn(1, TOKENS, WIDTH)


def heads_of(mixer, x):
    """Queries, keys and values, each heads × tokens × d."""
    q, k, v = mixer.qkv(x)[0].view(TOKENS, 3, HEADS, -1).permute(1, 2, 0, 3)
    return q / q.shape[-1] ** 0.5, k, v


def projected(mixer, values):
    """Heads × tokens × d through the last layer."""
    return mixer.out(values.transpose(0, 1).flatten(1))[None]


SPANS = {
    "full": lambda i, j: True,
    "window(2)": lambda i, j: abs(i - j) <= 2,
    "block(4)": lambda i, j: i // 4 == j // 4,
}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("text", SPANS)
def test_attention_within_its_span(text, causal):
    mixer, x = made(text, causal)
    q, k, v = heads_of(mixer, x)
    seen = [[SPANS[text](i, j) and (j <= i or not causal) for j in range(TOKENS)] for i in range(TOKENS)]
    scores = (q @ k.mT).masked_fill(~torch.tensor(seen), -torch.inf)
    torch.testing.assert_close(mixer(x), projected(mixer, scores.softmax(-1) @ v))


@pytest.mark.parametrize("causal", [False, True])
def test_relative_attention(causal):
    mixer, x = made("relative", causal)
    q, k, v = heads_of(mixer, x)
    scores = torch.full((HEADS, TOKENS, TOKENS), -torch.inf)
    for i in range(TOKENS):
        for j in range(i + 1 if causal else TOKENS):
            relative = mixer.relative[:, :, TOKENS - 1 + j - i]
            scores[:, i, j] = (q[:, i] * (k[:, j] + relative)).sum(-1)
    torch.testing.assert_close(mixer(x), projected(mixer, scores.softmax(-1) @ v))


@pytest.mark.parametrize("causal", [False, True])
def test_combiner_attention(causal):
    mixer, x = made("combiner(4)", causal)
    q, k, v = heads_of(mixer, x)
    blocks = [slice(start, start + 4) for start in range(0, TOKENS, 4)]
    keys = [k[:, b].mean(1) for b in blocks]
    values = [(q[:, b].mean(1, keepdim=True) @ k[:, b].mT).softmax(-1) @ v[:, b] for b in blocks]
    y = torch.zeros(HEADS, TOKENS, WIDTH // HEADS)
    for i in range(TOKENS):
        own = i // 4
        near = slice(4 * own, i + 1) if causal else blocks[own]
        far = range(own if causal else len(blocks))
        candidates = torch.cat([k[:, near], *(keys[n][:, None] for n in far)], dim=1)
        weights = (q[:, i : i + 1] @ candidates.mT).softmax(-1)
        y[:, i] = (weights @ torch.cat([v[:, near], *(values[n] for n in far)], dim=1))[:, 0]
    torch.testing.assert_close(mixer(x), projected(mixer, y))


@pytest.mark.parametrize(("causal", "first", "last"), [(False, -2, 2), (True, -4, 0)])
def test_pooling_leaves_out_what_does_not_exist(causal, first, last):
    mixer, x = made("pool(5)", causal)
    means = [x[:, max(0, t + first) : t + last + 1].mean(1) for t in range(TOKENS)]
    torch.testing.assert_close(mixer(x), torch.stack(means, 1) - x)


def test_lmu_uses_memory_and_token():
    mixer, x = made("lmu(6, 8)")
    memory = torch.ops.edgetx.lmu(F.relu(mixer.input(x))[..., 0], 6, 8.0)
    hidden = F.relu(memory @ mixer.hidden.weight[:, :6].T + x @ mixer.hidden.weight[:, 6:].T + mixer.hidden.bias)
    torch.testing.assert_close(mixer(x), mixer.norm(mixer.out(hidden)))


def test_spiking_lmu_is_binary_but_for_its_memory():
    mixer, x = made("spiking_lmu(6, 8)")
    seen = []
    for layer in (mixer.hidden, mixer.out):
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    mixer(x.gt(0).float())
    assert all(((t == 0) | (t == 1)).all() for t in seen)


def test_gated_linear_attention_step_by_step():
    mixer, x = made("gated_linear")
    torch.nn.init.normal_(mixer.initial)
    q, k, v, gate = (f(x)[0].view(TOKENS, HEADS, -1) for f in (mixer.q, mixer.k, mixer.v, mixer.gate))
    state, read = mixer.initial, []
    for t in range(TOKENS):
        state = torch.sigmoid(gate[t])[..., None] ** (1 / 16) * state + k[t][..., None] * v[t][:, None]
        read.append(torch.einsum("hk,hkv->hv", q[t], state) / q.shape[-1] ** 0.5)
    gated = mixer.norm(torch.stack(read)).flatten(1) * F.silu(mixer.output_gate(x[0]))
    torch.testing.assert_close(mixer(x)[0], mixer.out(gated))


def scan(part, x):
    """The selective scan of one clip, step by step."""
    width = x.shape[1]
    padded = F.pad(x.T, (3, 0))
    state, read = torch.zeros(width, part.sizes[1]), []
    for t in range(len(x)):
        u = F.silu((padded[:, t : t + 4] * part.conv.weight[:, 0]).sum(1) + part.conv.bias)
        low_rank, into, out_of = part.project(u).split(part.sizes)
        step = F.softplus(part.step(low_rank))[:, None]
        state = torch.exp(-step * torch.exp(part.log_rate)) * state + step * into * u[:, None]
        read.append(state @ out_of + part.skip * u)
    return torch.stack(read)


@pytest.mark.parametrize("causal", [True, False])
def test_selective_ssm_step_by_step(causal):
    mixer, x = made("selective_ssm(4)", causal)
    u, z = mixer.input(x[0]).chunk(2, dim=-1)
    y = scan(mixer.forwards, u)
    if not causal:
        y = y + scan(mixer.backwards, u.flip(0)).flip(0)
    torch.testing.assert_close(mixer(x)[0], mixer.out(y * F.silu(z)))


def test_step_sizes_start_in_their_range():
    mixer, _ = made("selective_ssm")
    steps = F.softplus(mixer.forwards.step.bias)
    assert steps.min() >= 0.99e-3
    assert steps.max() <= 1.01e-1
