"""Every Keras model to `.tflite` in every style of conversion, and to the other files that Keras users have.

Run with a Python that has TensorFlow: `python convert_keras.py OUT [NAME …]`. Writes `NAME.STYLE.tflite` and, for each
model, `NAME.npz` with inputs: `in0`, `in1` … of N × shape.
"""

import contextlib
import io
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import published_audio  # noqa: F401
import published_classifiers  # noqa: F401
import tensorflow as tf
import tflite_idioms  # noqa: F401
from keras_models import BUILDERS
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

SAMPLES = 12
INNER, BEGUN = "CONVERT_KERAS_INNER", " begun"
OPSETS = {"ds_cnn": 13, "crnn_gru": 15, "lstm": 17, "keyword_transformer": 18, "tcn": 16, "u_net_nearest": 17,
          "u_net_bilinear": 18, "bc_resnet": 14, "conv_autoencoder": 15, "mobilenet_v2": 13, "norms": 17,
          "lstm_bidirectional": 16, "separable_conv1d": 18, "wavenet": 13, "squeeze_excite": 15}  # fmt: skip
"""Models that tf2onnx converts as well, to these opsets."""
KERAS_FILES = ("ds_cnn", "crnn_gru", "keyword_transformer", "tcn", "lstm", "u_net_bilinear", "squeeze_excite")
"""Models of which the `.keras`, `.h5` and SavedModel are kept, too."""


def samples(model) -> list[np.ndarray]:
    """Inputs of the model, N × shape with the batch of 1."""
    rng = np.random.default_rng(0)
    inputs = model.inputs if isinstance(model, keras.Model) else model.__call__.input_signature
    found = []
    for spec in inputs:
        shape = (SAMPLES, 1, *[n or 40 for n in spec.shape[1:]])
        if spec.dtype in ("int32", "uint8"):
            found.append(rng.integers(0, 50, shape).astype(spec.dtype))
        else:
            found.append(rng.normal(0, 1, shape).astype("f4"))
    return found


def settle(model, inputs: list[np.ndarray]) -> None:
    """Give batch normalizations statistics, gains and shifts that are not those of a fresh model."""
    if isinstance(model, tf.Module) and not isinstance(model, keras.Model):
        return
    rng = np.random.default_rng(1)
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            between = [(0.7, 1.3)] * layer.scale + [(-0.3, 0.3)] * layer.center + [(-0.2, 0.2), (0.5, 1.5)]
            shapes = [w.shape for w in layer.get_weights()]
            layer.set_weights([rng.uniform(*ends, shape) for ends, shape in zip(between, shapes, strict=True)])
        elif layer.get_weights() and not layer._layers:
            layer.set_weights([w if w.std() else w + rng.normal(0, 0.05, w.shape) for w in layer.get_weights()])


def converters(model, folder: Path) -> Iterator[Callable]:
    """Ways to a converter, the later ones for models that the earlier ones refuse."""
    if isinstance(model, keras.Model):
        model.export(folder, verbose=False)
        yield lambda: tf.lite.TFLiteConverter.from_saved_model(str(folder))
        spec = [tf.TensorSpec((1, *x.shape[1:]), x.dtype) for x in model.inputs]
        call = tf.function(lambda *x: model(x[0] if len(x) == 1 else list(x), training=False))
        function = call.get_concrete_function(*spec)
    else:
        if hasattr(model, "signatures"):
            tf.saved_model.save(model, str(folder), model.signatures())
            yield lambda: tf.lite.TFLiteConverter.from_saved_model(str(folder))
            return
        function = model.__call__.get_concrete_function()
        if model.variables:  # which change, and are no constants
            tf.saved_model.save(model, str(folder), model.__call__)
            yield lambda: tf.lite.TFLiteConverter.from_saved_model(str(folder))
            yield lambda: tf.lite.TFLiteConverter.from_concrete_functions([function], model)
            return
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    yield lambda: tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)


def float32(_c, _data) -> None:
    pass


def float16(c, _data) -> None:
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    c.target_spec.supported_types = [tf.float16]


def dynamic(c, _data) -> None:
    c.optimizations = [tf.lite.Optimize.DEFAULT]


def int8(c, data) -> None:
    int8_float_io(c, data)
    c.inference_input_type = c.inference_output_type = tf.int8


def int8_float_io(c, data) -> None:
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    c.representative_dataset = data
    c.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]


def int8_fallback(c, data) -> None:
    """As many tutorials do it: what has no integer kernel stays in floating point."""
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    c.representative_dataset = data


def int8_per_tensor(c, data) -> None:
    int8(c, data)
    c._experimental_disable_per_channel = True


def uint8_io(c, data) -> None:
    int8_float_io(c, data)
    c.inference_input_type = c.inference_output_type = tf.uint8


def int16x8(c, data) -> None:
    c.optimizations = [tf.lite.Optimize.DEFAULT]
    c.representative_dataset = data
    c.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    c.inference_input_type = c.inference_output_type = tf.int16


def sparse(c, _data) -> None:
    c.optimizations = [tf.lite.Optimize.EXPERIMENTAL_SPARSITY]


def of_tensorflow_1(folder: Path):
    return tf.compat.v1.lite.TFLiteConverter.from_saved_model(str(folder))


def uint8_throughout(c, _data) -> None:
    """As TensorFlow 1 did it: every activation and weight a byte with a zero point."""
    c.inference_type = c.inference_input_type = c.inference_output_type = tf.uint8
    c.quantized_input_stats = dict.fromkeys(c.get_input_arrays(), (128.0, 32.0))


STYLES: dict[str, Callable] = {s.__name__: s for s in (float32, dynamic, int8, int16x8)}
MORE: dict[str, Callable] = {s.__name__: s for s in (float16, int8_float_io, int8_fallback, int8_per_tensor, uint8_io)}
"""Styles that differ at the border or in constants only, for every sixth model."""
OF_SOME: dict[str, tuple[Callable, ...]] = {
    "mostly_zeros": (sparse,), "quantization_aware_asymmetric": (uint8_throughout,),
    "quantization_aware": (uint8_throughout,), "logarithm_between": (int8_fallback,), "half_aware": (int8_fallback,),
}  # fmt: skip
"""Styles for which a model was made."""


def convert(name: str, out: Path) -> None:
    print(f"{name}{BEGUN}", flush=True)
    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    model = BUILDERS[name]()
    inputs = samples(model)
    settle(model, inputs)
    np.savez(out / f"{name}.npz", **{f"in{i}": x for i, x in enumerate(inputs)})
    data = lambda: ([x[i] for x in inputs] for i in range(SAMPLES))  # noqa: E731
    failures = []
    ways = list(converters(model, out / "saved" / name))
    styles = {**STYLES, **(MORE if list(BUILDERS).index(name) % 6 == 1 else {})}
    styles |= {style.__name__: style for style in OF_SOME.get(name, ())}
    try:
        others(name, model, out)
    except Exception as problem:
        failures.append(f"{name}, other files: {str(problem).splitlines()[0][:200]}")
    for style, configure in styles.items():
        for way in [lambda: of_tensorflow_1(out / "saved" / name)] if configure is uint8_throughout else ways:
            try:
                (out / f"{name}.{style}.tflite").write_bytes(converted(way(), configure, data))
                break
            except Exception as problem:
                failures.append(f"{name}.{style}: {str(problem).splitlines()[0][:200]}")
    print("\n".join([f"{name} done", *failures]), flush=True)


def converted(c, configure: Callable, data: Callable) -> bytes:
    configure(c, data)
    with contextlib.redirect_stdout(io.StringIO()):
        return c.convert()


def others(name: str, model, out: Path) -> None:
    if name in KERAS_FILES:
        model.save(out / f"{name}.keras")
        model.save(out / f"{name}.h5")
        model.export(out / f"{name}.saved", verbose=False)
    if name in OPSETS:
        import tf2onnx

        spec = [tf.TensorSpec((1, *x.shape[1:]), x.dtype, name=f"in{i}") for i, x in enumerate(model.inputs)]
        function = tf.function(lambda x: model(x, training=False))
        tf2onnx.convert.from_function(
            function, input_signature=spec, opset=OPSETS[name], output_path=str(out / f"{name}.tf2onnx.onnx")
        )


def main() -> None:
    """A process goes on behind the model at which the one before it died: calibrating loops crashes the converter."""
    out, *names = sys.argv[1:]
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    waiting = names or list(BUILDERS)
    if os.environ.get(INNER):
        for name in waiting:
            try:
                convert(name, folder)
            except Exception:
                print(f"{name} FAILED\n{traceback.format_exc(limit=-3)}", flush=True)
    while waiting and not os.environ.get(INNER):
        run = subprocess.run(
            [sys.executable, __file__, out, *waiting], stdout=subprocess.PIPE, text=True, env={**os.environ, INNER: "1"}
        )
        print(run.stdout, end="", flush=True)
        begun = [line.split()[0] for line in run.stdout.splitlines() if line.endswith(BEGUN)]
        if not run.returncode:
            return
        print(f"{begun[-1]}: the converter crashes", flush=True)
        waiting = waiting[waiting.index(begun[-1]) + 1 :]


if __name__ == "__main__":
    main()
