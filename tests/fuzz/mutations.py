"""Damage to model files: of their bytes, and of what they say."""

import random
from collections.abc import Callable

import onnx

EDGES = (0, 1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 256, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 4)
SIZES = (0, -1, 1, 2, 3, 5, 7, 64, 2**20, 2**31 - 1, 2**40, -(2**31))
OPERATORS = ("Add", "Conv", "MatMul", "Gemm", "Reshape", "Slice", "Split", "If", "Pad", "Tile", "Range", "Xyz",
             "LSTM", "GRU", "QGemm", "QLinearConcat", "QLinearConv", "DynamicQuantizeLSTM", "Loop", "Scan", "Einsum",
             "DFT", "GatherND", "GatherElements", "ScatterND", "ScatterElements", "SplitToSequence", "SequenceAt",
             "ConcatFromSequence", "Trilu", "EyeLike", "Where", "LRN", "ReduceProd", "Attention", "FusedMatMul",
             "MatMulNBits", "RotaryEmbedding", "SkipLayerNormalization", "ConvTranspose", "MaxPool")  # fmt: skip

Mutation = Callable[[bytes, random.Random], bytes]


def flip_bits(content: bytes, rng: random.Random) -> bytes:
    """A few bits turned over."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def truncate(content: bytes, rng: random.Random) -> bytes:
    """The end missing."""
    return content[: rng.randrange(len(content))]


def overwrite_words(content: bytes, rng: random.Random) -> bytes:
    """Aligned words, such as offsets and lengths, at their edges."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        start = 4 * rng.randrange(max(len(data) // 4, 1))
        data[start : start + 4] = rng.choice(EDGES).to_bytes(4, "little")
    return bytes(data)


def move_block(content: bytes, rng: random.Random) -> bytes:
    """A part of the file over another."""
    data = bytearray(content)
    size = rng.randint(1, max(1, min(64, len(data) // 4)))
    source, target = (rng.randrange(max(len(data) - size, 1)) for _ in range(2))
    data[target : target + size] = data[source : source + size]
    return bytes(data)


BYTES: tuple[Mutation, ...] = (flip_bits, truncate, overwrite_words, move_block)


def mutate_onnx(content: bytes, rng: random.Random) -> bytes:
    """A well-formed message that says something else."""
    model = onnx.ModelProto()
    model.ParseFromString(content)
    for _ in range(rng.randint(1, 3)):
        rng.choice(STRUCTURE)(model, rng)
    return bytes(model.SerializeToString())


def _rewire(model: onnx.ModelProto, rng: random.Random) -> None:
    """An operand becomes another value, perhaps one made later."""
    node = rng.choice(model.graph.node)
    names = [name for other in model.graph.node for name in (*other.input, *other.output)]
    if node.input:
        node.input[rng.randrange(len(node.input))] = rng.choice([*names, "", "nothing"])


def _drop_node(model: onnx.ModelProto, rng: random.Random) -> None:
    model.graph.node.pop(rng.randrange(len(model.graph.node)))
    if not model.graph.node:
        model.graph.node.add(op_type="Identity")


def _shuffle_nodes(model: onnx.ModelProto, rng: random.Random) -> None:
    nodes = list(model.graph.node)
    rng.shuffle(nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _change_operator(model: onnx.ModelProto, rng: random.Random) -> None:
    rng.choice(model.graph.node).op_type = rng.choice(OPERATORS)


def _change_attribute(model: onnx.ModelProto, rng: random.Random) -> None:
    node = rng.choice(model.graph.node)
    for attribute in node.attribute:
        attribute.i = rng.choice(SIZES)
        attribute.ints[:] = [rng.choice(SIZES) for _ in attribute.ints]


def _change_tensor(model: onnx.ModelProto, rng: random.Random) -> None:
    if model.graph.initializer:
        tensor = rng.choice(model.graph.initializer)
        if rng.random() < 0.5:
            tensor.dims[:] = [rng.choice(SIZES) for _ in range(rng.randint(0, 5))]
        else:
            tensor.data_type = rng.randrange(30)


def _change_integers(model: onnx.ModelProto, rng: random.Random) -> None:
    """Contents of what lists shapes and axes."""
    lists = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.INT64]
    if lists:
        tensor = rng.choice(lists)
        count = len(tensor.int64_data) or len(tensor.raw_data) // 8
        tensor.raw_data = b"".join((rng.choice(SIZES) % 2**64).to_bytes(8, "little") for _ in range(count))
        del tensor.int64_data[:]


def _change_input(model: onnx.ModelProto, rng: random.Random) -> None:
    for dim in model.graph.input[0].type.tensor_type.shape.dim if model.graph.input else ():
        dim.dim_value = rng.choice(SIZES)


def _change_opset(model: onnx.ModelProto, rng: random.Random) -> None:
    for entry in model.opset_import:
        entry.version = rng.choice((0, 6, 7, 11, 13, 17, 22, 23, 2**31))


STRUCTURE = (
    _rewire, _drop_node, _shuffle_nodes, _change_operator, _change_attribute, _change_tensor, _change_integers,
    _change_input, _change_opset,
)  # fmt: skip
