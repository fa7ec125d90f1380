"""The recurrences that export keeps whole, against their definitions step by step."""

import numpy as np
import pytest
import scipy.linalg
import torch
from numpy.polynomial import Legendre

from edgetx.legendre import impulse_response, legendre_memory, matrix_exponential
from edgetx.nn.torch_ops import lif, linear_recurrence, lmu

OPS = torch.ops.edgetx


@pytest.mark.parametrize("order", [1, 2, 16, 64])
def test_matrix_exponential_is_that_of_scipy(order):
    rng = np.random.default_rng(order)
    for size in (1e-3, 1.0, 30.0):
        x = rng.normal(0, size / order**0.5, (order, order))
        expected = scipy.linalg.expm(x)
        np.testing.assert_allclose(matrix_exponential(x), expected, atol=1e-11 * np.abs(expected).max())


@pytest.mark.parametrize(("order", "radius"), [(32, 0.934), (256, 0.861)])
def test_memory_decays_at_the_known_rate(order, radius):
    a, _ = legendre_memory(order, 128.0)
    assert np.abs(np.linalg.eigvals(a)).max() == pytest.approx(radius, abs=5e-4)


def test_memory_holds_the_past_as_legendre_polynomials():
    order, theta, steps = 12, 64.0, 300
    u = np.sin(2 * np.pi * np.arange(steps) / 50) + 0.5 * np.cos(2 * np.pi * np.arange(steps) / 31)
    memory = lmu(torch.from_numpy(u)[None], order, theta)[0].numpy()
    for delay in (0, 10, 32, 50):
        weights = [Legendre.basis(i, domain=[0, 1])(delay / theta) for i in range(order)]
        recalled = memory[150:] @ weights
        half_step_late = np.interp(np.arange(150, steps) - delay + 0.5, np.arange(steps), u)
        assert np.sqrt(np.mean((recalled - half_step_late) ** 2)) < 0.05


@pytest.mark.parametrize(("order", "theta", "steps"), [(1, 8.0, 5), (16, 32.0, 49), (256, 128.0, 128), (12, 6.0, 1)])
def test_parallel_memory_equals_the_recurrence(order, theta, steps):
    a, b = legendre_memory(order, theta)
    u = np.random.default_rng(0).normal(size=steps)
    m, states = np.zeros(order), []
    for value in u:
        m = a @ m + b * value
        states.append(m)
    parallel = lmu(torch.from_numpy(u)[None], order, theta)[0]
    np.testing.assert_allclose(parallel, states, atol=1e-12)
    single = lmu(torch.from_numpy(u).float()[None], order, theta)[0]
    np.testing.assert_allclose(single, states, atol=2e-6)


def test_impulse_response_is_that_of_the_recurrence():
    a, b = legendre_memory(8, 16.0)
    response = impulse_response(8, 16.0, 6)
    np.testing.assert_allclose(response[:, 5], np.linalg.matrix_power(a, 5) @ b, rtol=1e-12)


def spike_train(current, threshold, tau):
    v, spikes = 0.0, []
    for x in current:
        v = v + (x - v) / tau
        spikes.append(float(v >= threshold))
        v = 0.0 if v >= threshold else v
    return spikes


@pytest.mark.parametrize(("threshold", "tau"), [(1.0, 2.0), (0.5, 2.0), (1.0, 3.0)])
def test_neurons_integrate_leak_fire_and_reset(threshold, tau):
    x = torch.randn(3, 40, 5, dtype=torch.float64) * 2
    spikes = lif(x, threshold, tau)
    expected = [[spike_train(neuron, threshold, tau) for neuron in clip.T.tolist()] for clip in x]
    assert spikes.transpose(1, 2).tolist() == expected
    assert 0.05 < spikes.mean() < 0.6


def test_a_neuron_fires_at_its_threshold():
    assert lif(torch.tensor([2.0, 1.99, 1.0, 1.5]).view(1, 4, 1), 1.0, 2.0).flatten().tolist() == [1, 0, 0, 1]


def test_gradient_of_spikes_is_the_surrogate_through_time():
    x = torch.randn(2, 30, 4, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 30, 4, dtype=torch.float64)
    (grad,) = torch.autograd.grad((lif(x, 1.0, 2.0) * weight).sum(), x)
    v, spikes = torch.zeros(2, 4, dtype=torch.float64), []
    for step in x.unbind(1):
        v = v + (step - v) / 2
        soft = torch.sigmoid(4 * (v - 1))
        fired = (v >= 1).double()
        spikes.append(fired + soft - soft.detach())
        v = v * (1 - fired)
    (expected,) = torch.autograd.grad((torch.stack(spikes, 1) * weight).sum(), x)
    torch.testing.assert_close(grad, expected)


def recurrence_inputs():
    torch.manual_seed(0)
    decay = torch.rand(2, 5, 2, 1, dtype=torch.float64)
    x, initial = torch.randn(2, 5, 2, 3, dtype=torch.float64), torch.randn(2, 3, dtype=torch.float64)
    return tuple(t.requires_grad_() for t in (decay, x, initial))


def test_linear_recurrence_is_what_it_says():
    decay, x, state = recurrence_inputs()
    states = linear_recurrence(decay, x, state)
    for t in range(5):
        state = decay[:, t] * state + x[:, t]
        torch.testing.assert_close(states[:, t], state)


def test_gradients_are_those_of_differences():
    u = torch.randn(2, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda u: lmu(u, 5, 6.0), (u,))
    assert torch.autograd.gradcheck(linear_recurrence, recurrence_inputs())


def test_torch_finds_the_ops_sound():
    x = torch.randn(2, 6, 3, requires_grad=True)
    checks = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_static")
    examples = {
        OPS.lmu.default: (x[..., 0].detach().requires_grad_(), 4, 8.0),
        OPS.lif.default: (x, 1.0, 2.0),
        OPS.linear_recurrence.default: recurrence_inputs(),
    }
    for op, arguments in examples.items():
        torch.library.opcheck(op, arguments, test_utils=checks)


@pytest.mark.parametrize("op", [lambda x: lmu(x[..., 0], 4, 8.0), lambda x: lif(x, 1.0, 2.0)])
def test_recurrences_stay_in_single_precision_where_layers_do_not(op):
    x = torch.randn(2, 9, 3)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = op(x.bfloat16())
    assert torch.equal(mixed, op(x.bfloat16().float()))
