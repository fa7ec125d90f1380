"""YAMNet as a source of embeddings for `edgetx distill`: one ONNX file from audio to 1024 values.

python tools/sound_events/yamnet.py YAMNET.onnx --seconds 5 -o yamnet.onnx

YAMNET.onnx is the quantized YAMNet (Apache 2.0) from `data/YamNet_w8a8.onnx.zip` in the Python package `sead`. It takes
patches of 96 frames × 64 log-mel values: YAMNet's front end comes before it here, and the mean over patches after it.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper

RATE, WINDOW, HOP, FFT = 16_000, 400, 160, 512
MELS, LOW_HZ, HIGH_HZ, FLOOR = 64, 125.0, 7500.0, 1e-3
PATCH, PATCH_HOP = 96, 48
SCALE, ZERO_POINT = 0.047937885, 144  # of the quantized input
EMBEDDING, BATCHED = "/model/Reshape_output_0_qdq", "/model/Constant_output_0"
OPSET, IR = 20, 10


def mel_filters() -> NDArray[np.float32]:
    """Triangles evenly spaced on the HTK mel scale, spectral bins × bands."""
    mel = 1127 * np.log1p(np.linspace(0, RATE / 2, FFT // 2 + 1) / 700)
    edges = 1127 * np.log1p(np.array([LOW_HZ, HIGH_HZ]) / 700)
    low, centre, high = (np.linspace(*edges, MELS + 2)[i : i + MELS] for i in range(3))
    rising, falling = (mel[:, None] - low) / (centre - low), (high - mel[:, None]) / (high - centre)
    filters = np.maximum(0, np.minimum(rising, falling))
    filters[0] = 0
    return filters.astype(np.float32)


def spectrum() -> NDArray[np.float32]:
    """The real parts of a windowed Fourier transform over the imaginary ones, as filters of a convolution."""
    angles = 2 * np.pi / FFT * np.outer(np.arange(FFT // 2 + 1), np.arange(WINDOW))
    window = np.hanning(WINDOW + 1)[:-1]
    return np.concatenate((np.cos(angles) * window, -np.sin(angles) * window))[:, None].astype(np.float32)


def front_end(samples: int) -> onnx.ModelProto:
    """From a second or more of audio between −1 and 1 to quantized patches, patches × 1 × frames × mels."""
    frames = 1 + (samples - WINDOW) // HOP
    starts = np.arange(0, frames - PATCH + 1, PATCH_HOP)
    constants = {
        "row": np.array([1, 1, samples]),
        "spectrum": spectrum(),
        "filters": mel_filters(),
        "floor": np.float32(FLOOR),
        "frames": starts[:, None] + np.arange(PATCH),
        "patches": np.array([len(starts), 1, PATCH, MELS]),
        "scale": np.float32(SCALE),
        "zero": np.uint8(ZERO_POINT),
    }
    nodes = [
        helper.make_node("Reshape", ["sound", "row"], ["x"]),
        helper.make_node("Conv", ["x", "spectrum"], ["parts"], strides=[HOP]),
        helper.make_node("Split", ["parts"], ["real", "imaginary"], axis=1, num_outputs=2),
        helper.make_node("Mul", ["real", "real"], ["real2"]),
        helper.make_node("Mul", ["imaginary", "imaginary"], ["imaginary2"]),
        helper.make_node("Add", ["real2", "imaginary2"], ["power"]),
        helper.make_node("Sqrt", ["power"], ["magnitude"]),
        helper.make_node("Transpose", ["magnitude"], ["by_frame"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["by_frame", "filters"], ["mels"]),
        helper.make_node("Add", ["mels", "floor"], ["raised"]),
        helper.make_node("Log", ["raised"], ["log_mel"]),
        helper.make_node("Gather", ["log_mel", "frames"], ["gathered"], axis=1),
        helper.make_node("Reshape", ["gathered", "patches"], ["patched"]),
        helper.make_node("QuantizeLinear", ["patched", "scale", "zero"], ["quantized"]),
    ]
    graph = helper.make_graph(
        nodes,
        "front_end",
        [helper.make_tensor_value_info("sound", TensorProto.FLOAT, [1, samples])],
        [helper.make_tensor_value_info("quantized", TensorProto.UINT8, [len(starts), 1, PATCH, MELS])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def body(file: Path) -> onnx.ModelProto:
    """YAMNet from quantized patches, any number of them, to their embeddings."""
    model = onnx.utils.Extractor(onnx.load(file)).extract_model(["audio"], [EMBEDDING])
    shape = next(constant for constant in model.graph.initializer if constant.name == BATCHED)
    shape.CopyFrom(numpy_helper.from_array(np.array([0, -1]), BATCHED))
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "patches"
    del model.graph.value_info[:]
    return model


def mean() -> onnx.ModelProto:
    """From embeddings of patches to that of the clip."""
    node = helper.make_node("ReduceMean", ["each", "axis"], ["embedding"], keepdims=1)
    graph = helper.make_graph(
        [node],
        "mean",
        [helper.make_tensor_value_info("each", TensorProto.FLOAT, ["patches", 1024])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 1024])],
        [numpy_helper.from_array(np.array([0]), "axis")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("yamnet", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    arguments = parser.parse_args()
    core = body(arguments.yamnet)
    core.ir_version = IR
    heard = compose.merge_models(front_end(round(arguments.seconds * RATE)), core, [("quantized", "audio")])
    onnx.save(compose.merge_models(heard, mean(), [(EMBEDDING, "each")]), arguments.out)


if __name__ == "__main__":
    main()
