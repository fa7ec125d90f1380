"""Ops in torch, as training executes them, against their meaning."""

import numpy as np
import pytest
from cases import CASES, Case

torch = pytest.importorskip("torch")

from edgetx.train.graph.functions import torch_function  # noqa: E402

FLOAT_CASES = [case for case in CASES if case.dtype == "int8" and case.op.name != "quantize"]


@pytest.mark.parametrize("case", FLOAT_CASES, ids=str)
def test_torch_function_equals_float_reference(case: Case) -> None:
    rng = np.random.default_rng(0)
    batches = [rng.normal(size=(3, *shape)).astype(np.float32) for shape in case.inputs]
    consts = [rng.normal(size=shape).astype(np.float32) for shape in case.consts]
    function = torch.vmap(torch_function(case.op), in_dims=(0,) * len(batches) + (None,) * len(consts))
    (found,) = function(*map(torch.from_numpy, (*batches, *consts)))
    expected = [case.op.float_ref(*(batch[i] for batch in batches), *consts)[0] for i in range(3)]
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-5)
