"""litert-torch and ai-edge-quantizer: float conversion, then the recipe static_wi8_ai8.

Usage: litert_route.py VARIANT FOLDER OUT.tflite
"""

import sys
from pathlib import Path

import litert_torch
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from model import build, inputs
from variants import VARIANTS


def main(name: str, out: Path) -> None:
    calibration, _ = inputs()
    converted = litert_torch.convert(build(VARIANTS[name]), (calibration[:1],))
    float_file = out.with_suffix(".float.tflite")
    converted.export(str(float_file))
    ((signature, ends),) = Interpreter(str(float_file)).get_signature_list().items()
    (key,) = ends["inputs"]
    quantize = quantizer.Quantizer(str(float_file), recipe.static_wi8_ai8())
    samples = [{key: x[None]} for x in calibration.numpy().astype(np.float32)]
    statistics = quantize.calibrate({signature: samples}, num_threads=1)
    out.write_bytes(quantize.quantize(statistics).quantized_model)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[3]))
