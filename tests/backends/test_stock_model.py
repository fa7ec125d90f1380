"""The model of benchmarks/stock_routes in some of its styles: what its TFLite file may cost and must keep."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tflite
import torch

from edgetx.compiler import CompileOptions, compile_model, load_artifact
from edgetx.compiler.verification import outputs_of
from edgetx.ir import Array
from edgetx.nn.encoder import Encoder, EncoderOptions
from edgetx.targets import load_target

pytestmark = pytest.mark.runtimes

INPUT = (48, 40)
MOST_OPS, MOST_BYTES_PER_PARAMETER = 110, 1.5


@dataclass(frozen=True)
class Style:
    """A style of keyword transformer, and the least ratio of logits to their errors, in decibels."""

    options: EncoderOptions
    least_db: float = 26.0
    trained_norms: bool = False


def options(**changes: object) -> EncoderOptions:
    return EncoderOptions(width=40, layers=4, mlp=80, **changes)  # type: ignore[arg-type]


STYLES = {
    "pre-norm, 4 heads, mean": Style(options(heads=4, norm_place="pre", pooling="mean", qkv_bias=True)),
    "pre-norm, 4 heads, class token": Style(options(heads=4, norm_place="pre")),
    "pre-norm, 1 head, class token, relu": Style(options(norm_place="pre", activation="relu"), trained_norms=True),
    "post-norm, 2 heads, mean": Style(options(heads=2, pooling="mean", qkv_bias=True), trained_norms=True),
    "post-norm, 1 head, class token": Style(options()),
    "post-norm, 2 heads, class token": Style(options(heads=2)),
    "post-norm, 4 heads, class token": Style(options(heads=4)),
}


def build(style: Style) -> torch.nn.Module:
    torch.manual_seed(0)
    model = Encoder(INPUT, 35, style.options).eval()
    with torch.no_grad():
        for parameter in (model.positions, model.class_token):
            if parameter is not None:
                parameter.normal_()
        for module in model.modules():
            if style.trained_norms and isinstance(module, torch.nn.LayerNorm):
                module.weight.normal_(1, 0.1)
                module.bias.normal_(0, 0.1)
    return model


def decibels(expected: Array, found: Array) -> float:
    return float(10 * np.log10((expected**2).sum() / ((expected - found) ** 2).sum()))


@pytest.mark.parametrize("name", STYLES)
def test_stock_model_is_small_and_exact(name: str, tmp_path: Path) -> None:
    style = STYLES[name]
    model = build(style)
    x = torch.randn(64, *INPUT, generator=torch.Generator().manual_seed(1))
    torch.export.save(torch.export.export(model, (x[:1],)), tmp_path / "kwt.pt2")
    np.savez(tmp_path / "calib.npz", x=x[:32].numpy())
    source, target = str(tmp_path / "kwt.pt2"), load_target("nucleo-l4r5zi")
    compile_model(CompileOptions(source, target, tmp_path / "out", ("tflite",), tmp_path / "calib.npz", cases=4))

    artifact = load_artifact(tmp_path / "out")
    file = artifact.file("model.tflite").read_bytes()
    parameters = sum(p.numel() for p in model.parameters())
    assert 57_000 < parameters < 58_500
    assert tflite.Model.GetRootAs(file).Subgraphs(0).OperatorsLength() <= MOST_OPS
    assert len(file) / parameters <= MOST_BYTES_PER_PARAMETER

    cases = [artifact.quantized((row[None],)) for row in x[32:].numpy()]
    micro, litert = (outputs_of(artifact.runtime(runtime), cases) for runtime in ("tflm", "litert"))
    np.testing.assert_array_equal(micro, litert)
    with torch.no_grad():
        expected = model(x[32:]).numpy()
    found = np.concatenate([artifact.restored(outputs)[0] for outputs in micro])
    assert decibels(expected, found) >= style.least_db
