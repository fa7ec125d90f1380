"""Every PyTorch model to `.pt2` and to `.onnx` by both exporters, and those quantized by ONNX Runtime's tools.

Run with a Python that has torch, onnxscript and onnxruntime: `python export_torch.py OUT [NAME …]`. Writes
`NAME.pt2`, `NAME.STYLE.onnx` and `NAME.npz` with inputs `in0`, … of N × shape.
"""

import contextlib
import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
import torch_idioms
import torch_speech
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch_models import BUILDERS

REGISTERED = (torch_idioms, torch_speech)
SAMPLES = 12
OLD_OPSETS, NEW_OPSETS = (13, 15, 17), (18, 20, 22)
STATIC: dict[str, dict[str, object]] = {
    "qdq": {"activation_type": QuantType.QInt8, "per_channel": True},
    "qdq_uint8": {"activation_type": QuantType.QUInt8, "per_channel": False},
    "qdq_symmetric": {"activation_type": QuantType.QInt8, "extra_options": {"ActivationSymmetric": True}},
    "qdq_int16": {"activation_type": QuantType.QInt16, "per_channel": True},
    "qoperator": {"activation_type": QuantType.QUInt8, "quant_format": QuantFormat.QOperator, "per_channel": True},
}


class Reader(CalibrationDataReader):
    def __init__(self, names: list[str], data: list[np.ndarray]) -> None:
        self.feeds = iter([dict(zip(names, case, strict=True)) for case in zip(*data, strict=True)])

    def get_next(self):
        return next(self.feeds, None)


def settle(module: torch.nn.Module) -> None:
    """Give batch normalizations statistics that are not those of a fresh model."""
    torch.manual_seed(1)
    for part in module.modules():
        if isinstance(part, torch.nn.modules.batchnorm._BatchNorm):
            part.running_mean.normal_(0, 0.2)
            part.running_var.uniform_(0.5, 1.5)
            if part.affine:
                part.weight.data.uniform_(0.7, 1.3)
                part.bias.data.normal_(0, 0.1)


def old_exporter(module, xs, file: Path, opset: int) -> None:
    names = [f"in{i}" for i in range(len(xs))]
    torch.onnx.export(module, xs, str(file), opset_version=opset, dynamo=False, input_names=names)


def old_dynamic(module, xs, file: Path, opset: int) -> None:
    names = [f"in{i}" for i in range(len(xs))]
    axes = {"in0": {0: "batch"}}
    torch.onnx.export(module, xs, str(file), opset_version=opset, dynamo=False, input_names=names, dynamic_axes=axes)


def new_exporter(module, xs, file: Path, opset: int) -> None:
    torch.onnx.export(module, xs, str(file), opset_version=opset, dynamo=True, external_data=False, verbose=False)


def core_program(module, xs):
    return torch.export.export(module, xs).run_decompositions()


def attempt(what: str, action: Callable[[], object]) -> bool:
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            action()
    except Exception as problem:
        print(f"{what}: {type(problem).__name__}: {(str(problem).splitlines() or [''])[0][:200]}", flush=True)
        return False
    return True


def export(name: str, number: int, out: Path) -> None:
    torch.manual_seed(0)
    module, xs = BUILDERS[name]()
    module.eval()
    settle(module)
    rng = np.random.default_rng(0)
    data = [rng.normal(0, 1, (SAMPLES, *x.shape)).astype(np.float32) for x in xs]
    np.savez(out / f"{name}.npz", **{f"in{i}": x for i, x in enumerate(data)})
    attempt(f"{name}.pt2", lambda: torch.export.save(torch.export.export(module, xs), out / f"{name}.pt2"))
    if number % 3 == 2:
        attempt(f"{name}.core", lambda: torch.export.save(core_program(module, xs), out / f"{name}.core.pt2"))
    old, new = OLD_OPSETS[number % 3], NEW_OPSETS[number % 3]
    exporters = {f"old{old}": (old_exporter, old), f"new{new}": (new_exporter, new)}
    if number % 3 == 0:
        exporters[f"dynamic{old}"] = (old_dynamic, old)
    for style, (exporter, opset) in exporters.items():
        attempt(f"{name}.{style}", lambda e=exporter, s=style, o=opset: e(module, xs, out / f"{name}.{s}.onnx", o))
    source = out / f"{name}.old{old}.onnx"
    if source.exists():
        quantized(name, source, data, number)


def quantized(name: str, source: Path, data: list[np.ndarray], number: int) -> None:
    prepared = source.with_name(f"{name}.prepared")
    if not attempt(f"{name}.prepare", lambda: quant_pre_process(str(source), str(prepared))):
        prepared.write_bytes(source.read_bytes())
    names = [info.name for info in onnx.load(prepared).graph.input]
    styles = dict(list(STATIC.items())[: len(STATIC) if number % 3 == 1 else 2])
    for style, settings in styles.items():
        file = source.with_name(f"{name}.{style}.onnx")
        attempt(
            f"{name}.{style}",
            lambda f=file, s=settings: quantize_static(str(prepared), str(f), Reader(names, data), **s),
        )
    if number % 6 == 1:
        attempt(
            f"{name}.dynamic_int8",
            lambda: quantize_dynamic(str(prepared), str(source.with_name(f"{name}.weights_int8.onnx"))),
        )
        attempt(f"{name}.simplified", lambda: simplified(source, source.with_name(f"{name}.simplified.onnx")))
    prepared.unlink()


def simplified(source: Path, file: Path) -> None:
    import onnxsim

    onnx.save(onnxsim.simplify(onnx.load(source))[0], file)


def main() -> None:
    out, *names = sys.argv[1:]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    for number, name in enumerate(BUILDERS):
        if not names or name in names:
            export(name, number, folder)
            print(f"{name} done", flush=True)


if __name__ == "__main__":
    main()
