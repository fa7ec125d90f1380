"""Ops in torch, as training executes them, against their meaning."""

import numpy as np
import pytest
from cases import CASES, Case
from recurrent_cases import CASES as RECURRENT_CASES
from recurrent_cases import RecurrentCase

torch = pytest.importorskip("torch")

from edgetx.train.graph.functions import torch_function  # noqa: E402

FLOAT_CASES = [case for case in CASES if case.dtype == "int8" and case.op.name not in ("quantize", "shift_in")]


@pytest.mark.parametrize("case", FLOAT_CASES, ids=str)
def test_torch_function_equals_float_reference(case: Case) -> None:
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(3, *shape)).astype(np.float32) for shape in case.inputs]
    consts = [rng.normal(size=shape).astype(np.float32) for shape in case.consts]
    function = torch.vmap(torch_function(case.op), in_dims=(0,) * len(batches) + (None,) * len(consts))
    (found,) = function(*map(torch.from_numpy, (*batches, *consts)))
    expected = [case.op.float_ref(*(batch[i] for batch in batches), *consts)[0] for i in range(3)]
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)


RECURRENCES = [case for case in RECURRENT_CASES if case.name.endswith("int8")]


@pytest.mark.parametrize("case", RECURRENCES, ids=str)
def test_recurrence_equals_float_reference(case: RecurrentCase) -> None:
    graph, rng = case.graph(0), np.random.default_rng(0)
    (node,) = graph.nodes
    op, count = node.op, len(node.inputs)
    batches = [rng.uniform(0, 1, (3, *value.shape)).astype(np.float32) for value in node.inputs]
    found = torch.vmap(torch_function(op))(*map(torch.from_numpy, batches))
    for i in range(3):
        expected = op.float_ref(*(batches[k][i] for k in range(count)))
        for result, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(result[i], wanted, rtol=2e-4, atol=2e-5)


def test_gradient_through_spikes_is_that_of_the_layer_that_was_trained() -> None:
    from edgetx.nn.torch_ops import lif
    from edgetx.ops import Lif

    x = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0)).mul_(3)
    weights = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(1))
    gradients = []
    for neurons in (lambda x: lif(x, 1.0, 2.0), lambda x: _spikes(Lif(), x)):
        leaf = x.clone().requires_grad_()
        (neurons(leaf) * weights).sum().backward()
        gradients.append(leaf.grad)
    torch.testing.assert_close(*gradients)


def _spikes(op, x):  # type: ignore[no-untyped-def]
    ones, zeros = torch.ones(5), torch.zeros(5)
    function = torch.vmap(torch_function(op), in_dims=(0, None, None, None))
    return function(x[:, None], ones, zeros, zeros[None])[0][:, 0]
