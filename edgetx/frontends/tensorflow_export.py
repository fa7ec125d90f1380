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
LISTS = ("TensorListReserve", "TensorListFromTensor", "TensorListStack", "TensorListGetItem")
"""Operators that know the shape of the elements of a list."""
CLOSED = "_closed"
"""Behind the names of functions that were changed, beside which the original ones still exist."""
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
    ends = [node.name for node in graph.node if node.name not in read and node.op not in WITHOUT_RESULT]
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


def with_closed_lists(function: Any) -> Any:
    """The function with the batch of 1 in the lists that its loops fill, too, whose shapes are constants."""
    import tensorflow as tf

    graph = function.graph.as_graph_def()
    scopes = [graph.node, *(inner.node_def for inner in graph.library.function)]
    if not any(node.op in LISTS for nodes in scopes for node in nodes):
        return function
    renamed = {inner.signature.name for inner in graph.library.function}
    for nodes in scopes:
        close_lists(nodes)
        for attr in (attr for node in nodes for attr in node.attr.values() if attr.func.name in renamed):
            attr.func.name += CLOSED
    for inner in graph.library.function:
        inner.signature.name += CLOSED
    inputs = [x for x in function.inputs if x.dtype != tf.resource]
    names = [y.name for y in function.outputs]

    def call(*given: object) -> object:
        return tf.graph_util.import_graph_def(
            graph, {x.name: g for x, g in zip(inputs, given, strict=True)}, names, name=""
        )

    return tf.compat.v1.wrap_function(call, [tf.TensorSpec(x.shape, x.dtype) for x in inputs])


def close_lists(nodes: Sequence[Any]) -> None:
    """Set the open size to 1 in the shapes of the elements of lists."""
    import numpy as np
    import tensorflow as tf

    by_name = {node.name: node for node in nodes}
    for name in (name.split(":")[0] for node in nodes if node.op in LISTS for name in node.input):
        source = by_name.get(name)
        while source is not None and source.op == "Identity":
            source = by_name.get(source.input[0].split(":")[0])
        if source is None or source.op != "Const":
            continue
        shape = tf.make_ndarray(source.attr["value"].tensor)
        if shape.dtype == np.int32 and shape.ndim == 1:
            source.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(np.where(shape == -1, 1, shape), tf.int32))


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
    frozen = with_closed_lists(convert_variables_to_constants_v2(function, lower_control_flow=False))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen], model)
    (out / "model.tflite").write_bytes(converter.convert())
    random = np.random.default_rng(0)
    arrays = {name: random.normal(0, 1, spec.shape).astype(spec.dtype.as_numpy_dtype) for name, spec in fixed.items()}
    outputs = tf.nest.flatten(function(**{name: tf.constant(array) for name, array in arrays.items()}))
    found = {f"out{i}": y.numpy() for i, y in enumerate(outputs)}
    np.savez(out / "cases.npz", **{f"in{i}": x for i, x in enumerate(arrays.values())}, **found)


if __name__ == "__main__":
    sys.exit(main())
