import numpy as np

from edgetx.backends.c import emit_c
from edgetx.ir import GraphBuilder, QuantParams
from edgetx.ops import FullyConnected, Gelu

INT8 = ("int8", QuantParams((0.05,), 3))


def small_graph():
    b = GraphBuilder("small")
    x = b.input("x", (1, 2, 4), *INT8)
    weight = b.const(np.arange(-6, 6, dtype=np.int8).reshape(3, 4), "w", QuantParams((0.01, 0.02, 0.03), 0, 0))
    bias = b.const(np.array([1, -2, 3], np.int32), "b", QuantParams((0.0005, 0.001, 0.0015), 0, 0))
    return b.graph(
        b.op(Gelu(), b.op(FullyConnected(), x, weight, bias, quant=INT8, name="head"), quant=INT8, name="act")
    )


def test_graph_text(golden):
    golden(str(small_graph()))


def test_header_text(golden):
    golden(emit_c(small_graph()).files["model.h"])


def test_source_text(golden):
    golden(emit_c(small_graph()).files["model.c"])


def test_only_called_kernels_come_along():
    sources = {name for name in emit_c(small_graph()).files if name.endswith(".c")}
    assert sources == {"model.c", "fully_connected_s8.c", "lut_s8.c"}
