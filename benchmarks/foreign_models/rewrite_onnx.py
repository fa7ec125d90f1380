"""The float `.onnx` files of some models as further tools leave them, and files by hand of what exporters seldom write.

Run after `export_torch.py`, with the same Python: `python rewrite_onnx.py OUT`. Writes `NAME.STYLE.onnx` beside them.
"""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from export_torch import Reader, attempt
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16
from onnxruntime.transformers.optimizer import optimize_model

ATTENTIVE = ("kwt", "audiospectrogramtransformer", "whisperencoder", "squeezeformer", "transformerencoder", "wav2vec")
CONVOLVING = ("dscnn", "bcresnetofficial", "matchboxnet", "efficientat", "pannscnn", "openwakeword", "camplusplus")
RECURRENT = ("nsnet2", "lstmclassifier", "crnnkws", "rnnoise", "silerovad")
S8, U8 = QuantType.QInt8, QuantType.QUInt8
SETTINGS: dict[str, dict[str, object]] = {
    "s8s8": {"activation_type": S8, "weight_type": S8},
    "u8u8": {"activation_type": U8, "weight_type": U8},
    "reduced": {"activation_type": U8, "weight_type": S8, "reduce_range": True, "per_channel": True},
    "keep": {"extra_options": {"QDQKeepRemovableActivations": True, "AddQDQPairToWeight": True}},
    "dedicated": {"extra_options": {"DedicatedQDQPair": True, "QuantizeBias": False}},
    "asymmetric": {"weight_type": S8, "extra_options": {"WeightSymmetric": False}},
    "int4": {"weight_type": QuantType.QInt4, "per_channel": True},
    "some": {"op_types_to_quantize": ["Conv", "MatMul", "Gemm"]},
    "qop_s8": {"activation_type": S8, "quant_format": QuantFormat.QOperator},
}


def float16(source: Path, file: Path) -> None:
    onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), file)


def external(source: Path, file: Path) -> None:
    onnx.save(onnx.load(source), file, save_as_external_data=True, location=f"{file.name}.data", size_threshold=0)


def with_inputs(source: Path, file: Path) -> None:
    """Every initializer is an input, too, as older exporters wrote them."""
    model = onnx.load(source)
    for tensor in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    onnx.save(model, file)


def optimized(level: str) -> Callable[[Path, Path], None]:
    def write(source: Path, file: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(file)
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, f"ORT_ENABLE_{level}")
        onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])

    return write


def fused(source: Path, file: Path) -> None:
    model = optimize_model(str(source), "bert", num_heads=2, hidden_size=0, opt_level=1)
    model.save_model_to_file(str(file))


def four_bits(source: Path, file: Path) -> None:
    quantizer = MatMulNBitsQuantizer(onnx.load(source), block_size=16, is_symmetric=False)
    quantizer.process()
    quantizer.model.save_model_to_file(str(file))


def functions(source: Path, file: Path) -> None:
    """Runs of four nodes become functions of the model."""
    model = onnx.load(source)
    nodes, held = list(model.graph.node), {t.name for t in model.graph.initializer}
    del model.graph.node[:]
    wanted = {info.name for info in model.graph.output}
    for number, begin in enumerate(range(0, len(nodes), 4)):
        part, rest = nodes[begin : begin + 4], nodes[begin + 4 :]
        made = [name for node in part for name in node.output if name]
        read = dict.fromkeys(name for node in part for name in node.input if name and name not in made)
        later = {name for node in rest for name in node.input} | wanted
        left = [name for name in made if name in later]
        imports = [entry for entry in model.opset_import if not entry.domain]
        model.functions.append(helper.make_function("parts", f"Part{number}", list(read), left, part, imports))
        model.graph.node.append(helper.make_node(f"Part{number}", list(read), left, domain="parts"))
    assert held
    model.opset_import.append(helper.make_opsetid("parts", 1))
    onnx.save(model, file)


def clipped(source: Path, file: Path) -> None:
    """QCDQ as Brevitas exports narrow integers: a Clip between the two of each pair."""
    model = onnx.load(source)
    nodes = []
    model.graph.initializer.append(numpy_helper.from_array(np.int8(-127), "clip.low"))
    model.graph.initializer.append(numpy_helper.from_array(np.int8(127), "clip.high"))
    for node in model.graph.node:
        nodes.append(node)
        if node.op_type == "QuantizeLinear":
            name = node.output[0]
            node.output[0] = f"{name}.wide"
            nodes.append(helper.make_node("Clip", [f"{name}.wide", "clip.low", "clip.high"], [name]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx.save(model, file)


def gated_rate(file: Path) -> None:
    """A branch on the sampling rate, as the files of Silero VAD have it."""
    rng = np.random.default_rng(0)

    def branch(name: str, width: int) -> onnx.GraphProto:
        weight = numpy_helper.from_array(rng.normal(0, 0.1, (512, width)).astype(np.float32), f"{name}.w")
        head = numpy_helper.from_array(rng.normal(0, 0.3, (width, 2)).astype(np.float32), f"{name}.h")
        nodes = [
            helper.make_node("MatMul", ["input", f"{name}.w"], [f"{name}.a"]),
            helper.make_node("Relu", [f"{name}.a"], [f"{name}.b"]),
            helper.make_node("MatMul", [f"{name}.b", f"{name}.h"], [f"{name}.y"]),
        ]
        out = helper.make_tensor_value_info(f"{name}.y", TensorProto.FLOAT, [1, 2])
        return helper.make_graph(nodes, name, [], [out], [weight, head])

    rate = numpy_helper.from_array(np.int64(16000), "wide")
    nodes = [
        helper.make_node("Equal", ["sr", "wide"], ["is_wide"]),
        helper.make_node("If", ["is_wide"], ["y"], then_branch=branch("then", 12), else_branch=branch("else", 8)),
        helper.make_node("Sigmoid", ["y"], ["output"]),
    ]
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 512]),
        helper.make_tensor_value_info("sr", TensorProto.INT64, []),
    ]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 2])]
    graph = helper.make_graph(nodes, "gated", inputs, outputs, [rate])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8), file)
    np.savez(file.with_name(file.name.split(".")[0] + ".npz"), in0=rng.normal(0, 1, (12, 1, 512)).astype(np.float32))


def looped(file: Path) -> None:
    """A leaky integrator over time, as a Loop with a constant trip count whose rows are stacked."""
    rng = np.random.default_rng(0)
    weight = numpy_helper.from_array(rng.normal(0, 0.3, (6, 6)).astype(np.float32), "w")
    body = helper.make_graph(
        [
            helper.make_node("Gather", ["x", "i"], ["row"], axis=1),
            helper.make_node("MatMul", ["h_in", "w"], ["mixed"]),
            helper.make_node("Add", ["mixed", "row"], ["sum"]),
            helper.make_node("Tanh", ["sum"], ["h_out"]),
            helper.make_node("Identity", ["keep_in"], ["keep_out"]),
            helper.make_node("Identity", ["h_out"], ["scan"]),
        ],
        "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []),
         helper.make_tensor_value_info("keep_in", TensorProto.BOOL, []),
         helper.make_tensor_value_info("h_in", TensorProto.FLOAT, [1, 6])],
        [helper.make_tensor_value_info("keep_out", TensorProto.BOOL, []),
         helper.make_tensor_value_info("h_out", TensorProto.FLOAT, [1, 6]),
         helper.make_tensor_value_info("scan", TensorProto.FLOAT, [1, 6])],
    )  # fmt: skip
    held = [weight, numpy_helper.from_array(np.int64(10), "trips"), numpy_helper.from_array(np.bool_(True), "go"),
            numpy_helper.from_array(np.zeros((1, 6), np.float32), "zero")]  # fmt: skip
    nodes = [
        helper.make_node("Loop", ["trips", "go", "zero"], ["last", "rows"], body=body),
        helper.make_node("Transpose", ["rows"], ["y"], perm=[1, 0, 2]),
    ]
    infos = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 10, 6])]
    outputs = [helper.make_tensor_value_info("last", TensorProto.FLOAT, [1, 6]),
               helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 10, 6])]  # fmt: skip
    graph = helper.make_graph(nodes, "looped", infos, outputs, held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    np.savez(file.with_name(file.name.split(".")[0] + ".npz"), in0=rng.normal(0, 1, (12, 1, 10, 6)).astype(np.float32))


def samples(out: Path, name: str) -> list[np.ndarray]:
    with np.load(out / f"{name}.npz") as file:
        return [file[key] for key in sorted(file.files)]


def static(out: Path, name: str, style: str, prepared: Path) -> None:
    names = [info.name for info in onnx.load(prepared).graph.input]
    reader = Reader(names, samples(out, name))
    quantize_static(str(prepared), str(out / f"{name}.{style}.onnx"), reader, **SETTINGS[style])


def rewrite(out: Path, name: str, number: int) -> None:
    (source,) = sorted(out.glob(f"{name}.old*.onnx"))[:1]
    styles: dict[str, Callable[[Path, Path], None]] = {"optimized": optimized("EXTENDED"), "functions": functions}
    styles |= [{"float16": float16}, {"external": external}, {"inputs": with_inputs}][number % 3]
    if name in ATTENTIVE:
        styles |= {"fused": fused, "four_bits": four_bits}
    for style, write in styles.items():
        attempt(f"{name}.{style}", lambda w=write, s=style: w(source, out / f"{name}.{s}.onnx"))
    prepared = out / f"{name}.prepared"
    if not attempt(f"{name}.prepare", lambda: quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)):
        prepared.write_bytes(source.read_bytes())
    chosen = list(SETTINGS)[number % 3 :: 3] + ["s8s8"] * (number % 3 > 0)
    for style in chosen:
        attempt(f"{name}.{style}", lambda s=style: static(out, name, s, prepared))
    quantized = out / f"{name}.s8s8.onnx"
    if quantized.exists():
        attempt(f"{name}.clipped", lambda: clipped(quantized, out / f"{name}.clipped.onnx"))
        attempt(f"{name}.qdq_fused", lambda: optimized("EXTENDED")(quantized, out / f"{name}.qdq_fused.onnx"))
    dynamic = out / f"{name}.weights.onnx"
    if name not in CONVOLVING and attempt(f"{name}.weights", lambda: quantize_dynamic(str(prepared), str(dynamic))):
        attempt(f"{name}.dynamic_fused", lambda: optimized("EXTENDED")(dynamic, out / f"{name}.weights_fused.onnx"))
    prepared.unlink()


def main() -> None:
    out = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    gated_rate(out / "gatedrate.hand.onnx")
    looped(out / "looped.hand.onnx")
    for number, name in enumerate((*ATTENTIVE, *CONVOLVING, *RECURRENT)):
        if list(out.glob(f"{name}.old*.onnx")):
            rewrite(out, name, number)
            print(f"{name} done", flush=True)


if __name__ == "__main__":
    main()
