"""Fast kernels on the cores they are made for: the assembly has the bits of its C counterpart."""

import numpy as np
import pytest
from cases import Case, LowestCase, contents

from edgetx import ops
from edgetx.backends.c import emit_c, write_c
from edgetx.firmware import build_firmware
from edgetx.ir import Graph
from edgetx.reference import execute
from edgetx.targets import load_target

pytest.importorskip("unicorn")

BOARDS = ("nucleo-l4r5zi", "nucleo-h7a3zi", "nucleo-g0b1re")
SEEDS = (0,)
CASES = (
    *(Case(f"dense_{r}x{i}x{o}", ops.FullyConnected(), ((1, r, i),), ((o, i), (o,)))
      for r, i, o in [(1, 7, 3), (1, 44, 6), (3, 16, 5), (4, 33, 8), (9, 40, 7)]),
    Case("dense_rectified", ops.FullyConnected("relu"), ((1, 3, 40),), ((6, 40), (6,))),
    Case("dense_once", ops.FullyConnected("relu6", rounding="once"), ((1, 5, 19),), ((6, 19), (6,))),
    LowestCase("lowest", ops.FullyConnected("relu"), ((1, 5, 44),), ((6, 44), (6,))),
    LowestCase("lowest_once", ops.FullyConnected(rounding="once"), ((1, 1, 24),), ((5, 24), (5,))),
    LowestCase("lowest_conv", ops.Conv2D((2, 1), padding="same"), ((1, 9, 7, 5),), ((7, 3, 2, 5), (7,))),
    Case("depthwise_3x3_rectified", ops.DepthwiseConv2D(activation="relu"), ((1, 7, 5, 5),), ((1, 3, 3, 5), (5,))),
    Case("pad", ops.Pad(((0, 0), (1, 2), (3, 1), (0, 0))), ((1, 3, 4, 5),)),
    Case("dense_limited", ops.FullyConnected("relu6"), ((1, 5, 24),), ((6, 24), (6,))),
    Case("conv", ops.Conv2D((2, 1), (1, 2), "same", "relu"), ((1, 9, 7, 5),), ((7, 3, 2, 5), (7,))),
    Case("conv_in_parts", ops.Conv2D((2, 2), padding="same"), ((1, 9, 7, 9),), ((34, 3, 3, 9), (34,))),
    Case("depthwise_3x3", ops.DepthwiseConv2D(padding="same"), ((1, 7, 5, 9),), ((1, 3, 3, 9), (9,))),
    Case("depthwise", ops.DepthwiseConv2D((2, 1), (1, 2), "same", "relu"), ((1, 9, 8, 7),), ((1, 4, 3, 7), (7,))),
    Case("depthwise_of_one", ops.DepthwiseConv2D((2, 1), padding="same"), ((1, 9, 8, 1),), ((1, 5, 4, 7), (7,))),
    Case("depthwise_rings", ops.DepthwiseConv2D(), ((1, 9, 1, 32),), ((1, 9, 1, 32), (32,))),
    Case("depthwise_3x3_limited", ops.DepthwiseConv2D(activation="relu6"), ((1, 6, 5, 4),), ((1, 3, 3, 4), (4,))),
    Case("attention", ops.Attention(2, 0.3), ((1, 7, 12), (1, 9, 12), (1, 9, 12))),
    Case("attention_words", ops.Attention(2, 0.3), ((1, 7, 16), (1, 9, 16), (1, 9, 16))),
    Case("attention_odd_words", ops.Attention(1, 0.01), ((1, 4, 12), (1, 12, 12), (1, 12, 12))),
    Case("attention_wide", ops.Attention(1, 0.05), ((1, 3, 66), (1, 71, 66), (1, 71, 66))),
    *(Case(f"attention_steep_{keys}", ops.Attention(2, 2.5e6), ((1, 3, 16), (1, keys, 16), (1, keys, 16)))
      for keys in (8, 9)),
    Case("attention_near", ops.Attention(2, 0.002), ((1, 3, 16), (1, 80, 16), (1, 80, 16))),
    Case("dense_wide", ops.FullyConnected("relu"), ((1, 5, 21),), ((7, 21), (7,)), "int16"),
    Case("conv_wide", ops.Conv2D((2, 1), padding="same"), ((1, 9, 7, 5),), ((6, 3, 2, 5), (6,)), "int16"),
    Case("product", ops.BatchMatmul(), ((2, 5, 21), (2, 21, 7))),
    Case("max_pool", ops.MaxPool2D((3, 2), (2, 1), "same", "relu"), ((1, 9, 7, 6),)),
    Case("average_pool", ops.AveragePool2D((5, 4), (2, 2), "same"), ((1, 9, 7, 6),)),
    Case("add", ops.Add(), ((1, 5, 9), (1, 5, 9))),
    Case("gelu", ops.Gelu(), ((1, 7, 9),)),
    Case("layer_norm", ops.LayerNorm(), ((1, 5, 39),), ((39,), (39,))),
    Case("layer_norm_of_copies", ops.LayerNorm(), ((1, 9, 40),), ((40,), (40,))),
    Case("rms_norm", ops.RmsNorm(), ((1, 5, 16),), ((16,),)),
    Case("softmax", ops.Softmax(), ((1, 140, 9),)),
    Case("softmax_steep", ops.Softmax(3.0), ((1, 39, 31),)),
)  # fmt: skip


@pytest.mark.toolchain
@pytest.mark.simulator
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_core_equals_reference(board: str, case: Case, tmp_path) -> None:
    from edgetx.runtimes.simulator import SimulatorRuntime

    target = load_target(board)
    for seed in SEEDS:
        graph: Graph = case.graph(seed)
        folder = tmp_path / str(seed)
        write_c(emit_c(graph, target.kernels), folder)
        firmware = build_firmware(folder, target, tmp_path / f"{seed}.elf", [])
        runtime = SimulatorRuntime(target, firmware.elf, graph)
        for style in range(5):
            inputs = contents(graph, style)
            np.testing.assert_array_equal(runtime.run(inputs)[0], execute(graph, inputs)[0], f"{seed}, {style}")
