"""Run by the Python that has TensorFlow: its models to float TFLite, with outputs to compare with.

`python tensorflow_export.py MODEL OUT [INPUT=SIZE,SIZE …]` writes `model.tflite`, and `cases.npz` with inputs `in0` …
and the outputs `out0` … that TensorFlow itself computes from them. It needs nothing of edgetx, so that TensorFlow may
live in an environment of its own; it is copied before it is run, since Python would find modules beside it.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WITHOUT_TENSORFLOW = 3
"""Exit status."""
OPEN_AXES = "has no fixed shape"
NO_NUMBERS = "takes other than numbers of a known shape"
"""In the reason why an input is refused."""
WITHOUT_RESULT = ("NoOp", "Placeholder", "Const")
"""Nodes of a frozen graph that are no outputs, although nothing reads them."""


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


def of_frozen_graph(path: Path, sizes: Mapping[str, str]) -> tuple[Any, dict[str, Any]]:
    """A frozen graph as a function, and its inputs: its placeholders, or the nodes that `sizes` gives shapes to.

    Raises:
        ValueError: If it is not one, or an input is no tensor of numbers.
    """
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(path.read_bytes())
    except Exception as problem:  # of protobuf, whose releases name it differently
        raise ValueError(f"not a frozen graph: {problem}") from problem
    read = {name.split(":")[0].lstrip("^") for node in graph.node for name in node.input}
    ends = [
        node.name for node in graph.node if node.name not in read and node.op not in ("NoOp", "Placeholder", "Const")
    ]
    for node in graph.node:
        if node.name in sizes and node.op != "Placeholder":
            begin_at(node, tuple(map(int, sizes[node.name].split(","))))
    graph = tf.compat.v1.graph_util.extract_sub_graph(graph, ends)
    fixed = {}
    for node in (node for node in graph.node if node.op == "Placeholder"):
        kind, shape = tf.as_dtype(node.attr["dtype"].type), tf.TensorShape(node.attr["shape"].shape)
        if kind == tf.string or shape.rank is None:
            raise ValueError(f"input '{node.name}' {NO_NUMBERS}")
        cut = node.name in sizes and shape.is_fully_defined()
        fixed[node.name] = tf.TensorSpec(shape if cut else closed(node.name, shape.as_list(), sizes), kind)
    names = [f"{name}:0" for name in ends]

    def call(*inputs: object) -> object:
        given = {f"{name}:0": x for name, x in zip(fixed, inputs, strict=True)}
        return tf.graph_util.import_graph_def(graph, given, names, name="")

    wrapped = tf.compat.v1.wrap_function(call, list(fixed.values()))
    specs = {f"in{i}": spec for i, spec in enumerate(fixed.values())}
    return tf.function(lambda **inputs: wrapped(*inputs.values())).get_concrete_function(**specs), specs


def begin_at(node: Any, shape: tuple[int, ...]) -> None:
    """Make a node of a graph an input of real numbers."""
    import tensorflow as tf

    node.op = "Placeholder"
    del node.input[:]
    node.attr.clear()
    node.attr["dtype"].type = tf.float32.as_datatype_enum
    node.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())


def convert(path: Path, out: Path, sizes: Mapping[str, str]) -> None:
    """The model with a batch of 1, which recurrent layers need to be converted."""
    import numpy as np
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    if path.suffix == ".pb":
        model, (function, fixed) = None, of_frozen_graph(path, sizes)
    elif path.is_dir():
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
