"""Run by the Python that has TensorFlow: a Keras model or SavedModel to float TFLite, with outputs to compare with.

`python tensorflow_export.py MODEL OUT [INPUT=SIZE,SIZE …]` writes `model.tflite`, and `cases.npz` with inputs `in0` …
and the outputs `out0` … that TensorFlow itself computes from them. It needs nothing of edgetx, so that TensorFlow may
live in an environment of its own; it is copied before it is run, since Python would find modules beside it.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

WITHOUT_TENSORFLOW = 3
"""Exit status."""
OPEN_AXES = "has no fixed shape"
"""In the reason why an input is refused."""


def main() -> int:
    """Convert; the reason of a failure is the last line on the error output."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import tensorflow  # noqa: F401
    except ImportError as problem:
        print(problem, file=sys.stderr)
        return WITHOUT_TENSORFLOW
    model, out = map(Path, sys.argv[1:3])
    try:
        convert(model, out, dict(word.rsplit("=", 1) for word in sys.argv[3:]))
    except Exception as problem:  # TensorFlow raises whatever its readers and its converter raise
        lines = str(problem).splitlines() or [type(problem).__name__]
        print(f"\n{lines[0]}", file=sys.stderr)
        return 1
    return 0


def closed(name: str, shape: Sequence[int | None], sizes: Mapping[str, str]) -> tuple[int, ...]:
    """The shape with a batch of 1, and the sizes that the user gives in place of its open axes.

    Raises:
        ValueError: If it has another number of open axes.
    """
    given = iter(map(int, filter(None, sizes.get(name, "").split(","))))
    fixed = [1, *(next(given, None) if n is None else n for n in shape[1:])]
    if any(n is None for n in fixed) or next(given, None) is not None:
        raise ValueError(f"input '{name}' {OPEN_AXES}: {tuple(shape)}")
    return tuple(n for n in fixed if n is not None)


def convert(path: Path, out: Path, sizes: Mapping[str, str]) -> None:
    """The model with a batch of 1, which recurrent layers need to be converted."""
    import numpy as np
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if path.is_dir():
        model = tf.saved_model.load(str(path))
        signature = model.signatures["serving_default"]
        specs = signature.structured_input_signature[1]
        shapes = {name: closed(name, spec.shape.as_list(), sizes) for name, spec in specs.items()}
        fixed = {name: tf.TensorSpec(shapes[name], spec.dtype, name=name) for name, spec in specs.items()}
        function = tf.function(lambda **inputs: signature(**inputs)).get_concrete_function(**fixed)
    else:
        model = tf.keras.models.load_model(str(path), compile=False)
        shapes = {x.name: closed(x.name, x.shape, sizes) for x in model.inputs}
        fixed = {f"in{i}": tf.TensorSpec(shapes[x.name], x.dtype) for i, x in enumerate(model.inputs)}

        def call(**inputs: object) -> object:
            values = list(inputs.values())
            return model(values[0] if len(values) == 1 else values, training=False)

        function = tf.function(call).get_concrete_function(**fixed)
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
    (out / "model.tflite").write_bytes(converter.convert())
    random = np.random.default_rng(0)
    arrays = {name: random.normal(0, 1, spec.shape).astype(spec.dtype.as_numpy_dtype) for name, spec in fixed.items()}
    outputs = tf.nest.flatten(function(**{name: tf.constant(array) for name, array in arrays.items()}))
    found = {f"out{i}": y.numpy() for i, y in enumerate(outputs)}
    np.savez(out / "cases.npz", **{f"in{i}": x for i, x in enumerate(arrays.values())}, **found)


if __name__ == "__main__":
    sys.exit(main())
