import numpy as np
import pytest
from encoders import ENCODERS, imported

from edgetx.compiler.quantized import quantize_model
from edgetx.ir import GraphBuilder, QuantParams
from edgetx.ops import Add, Attention, Conv2D, FullyConnected, Pad, Relu, Reshape
from edgetx.plan import plan_program
from edgetx.quant import QuantRecipe

INT8 = ("int8", QuantParams((0.05,), 3))


def layer(b, x, out):
    weight = b.const(np.ones((out, x.shape[-1]), np.int8), "w", QuantParams((0.01,) * out, 0, 0))
    return b.op(FullyConnected(), x, weight, quant=INT8)


def test_view_and_in_place_result_take_no_memory():
    b = GraphBuilder("g")
    x = b.input("x", (1, 6, 8), *INT8)
    y = b.op(Relu(), b.op(Reshape((1, 48)), layer(b, x, 8), quant=INT8), quant=INT8)
    program = plan_program(b.graph(layer(b, y, 4)))
    assert len({place.buffer for place in program.places.values()}) == 3
    assert program.arena.nbytes == 2 * 48


def test_operand_read_again_later_is_not_overwritten():
    b = GraphBuilder("g")
    h = layer(b, b.input("x", (1, 6, 8), *INT8), 8)
    program = plan_program(b.graph(b.op(Add(), b.op(Relu(), h, quant=INT8, name="clamped"), h, quant=INT8)))
    assert program.places["clamped"].buffer == "clamped"


def test_pads_fall_away_where_memory_is_short():
    b = GraphBuilder("g")
    padded = b.op(Pad(((0, 0), (1, 1), (1, 1), (0, 0))), b.input("x", (1, 8, 8, 4), *INT8), quant=INT8, name="pad")
    weight = b.const(np.ones((2, 3, 3, 4), np.int8), "w", QuantParams((0.01,) * 2, 0, 0))
    graph = b.graph(b.op(Conv2D(), padded, weight, quant=INT8))
    roomy, tight = plan_program(graph), plan_program(graph, arena_bytes=600)
    assert [step.call.kernel for step in roomy.steps] == ["pad_s8", "conv_2d_s8"]
    assert [step.call.kernel for step in tight.steps] == ["conv_2d_s8"]
    assert tight.arena.nbytes == 8 * 8 * (4 + 2) < roomy.arena.nbytes


def test_output_survives_to_the_end():
    b = GraphBuilder("g")
    x = b.input("x", (1, 6, 8), *INT8)
    early = layer(b, x, 8)
    late = layer(b, layer(b, early, 8), 8)
    program = plan_program(b.graph(early, late))
    assert program.offset(early) != program.offset(late)


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_meet_the_lower_bound(name):
    graph, x, _ = imported(name)
    arena = plan_program(quantize_model(graph, x, QuantRecipe()).graph).arena
    assert arena.nbytes <= 1.05 * arena.lower_bound


def test_what_a_state_will_hold_survives_to_the_end():
    """A table that works in place would change it before it is kept."""
    b = GraphBuilder("keeps")
    x = b.input("x", (1, 8), *INT8)
    held = b.state("held", np.zeros((1, 8), np.int8), INT8[1])
    new = b.op(Add(), x, held, quant=INT8)
    b.write_state(held, new)
    program = plan_program(b.graph(b.op(Relu(), new, quant=INT8, name="clamped")))
    assert program.places["clamped"].buffer == "clamped"


def test_operand_that_is_read_twice_is_not_overwritten():
    b = GraphBuilder("g")
    h = layer(b, b.input("x", (1, 6, 8), *INT8), 8)
    folded = b.op(Reshape((1, 6, 8)), h, quant=INT8)
    y = b.op(Attention(2, 0.5), h, h, folded, name="attended", quant=INT8)
    program = plan_program(b.graph(y))
    assert program.places["attended"].buffer == "attended"


def outputs_at_once(call):
    """Of how many outputs a packed layer copies the weights at a time."""
    return int(call.operands[1][0])


def test_weights_that_are_read_often_are_copied_into_the_arena():
    b = GraphBuilder("g")
    x = b.input("x", (1, 16, 8), *INT8)
    program = plan_program(b.graph(layer(b, x, 8)), ("cortex_m_dsp",))
    (step,) = program.steps
    assert step.call.kernel == "fully_connected_packed_s8"
    assert outputs_at_once(step.call) == 8
    assert step.call.scratch_bytes == 4 * 8 + 2 * 4 * (4 + 8 + 12)


def test_large_weights_are_copied_in_parts():
    b = GraphBuilder("g")
    program = plan_program(b.graph(layer(b, b.input("x", (1, 16, 64), *INT8), 64)), ("cortex_m_dsp",))
    (call,) = [step.call for step in program.steps]
    assert outputs_at_once(call) == 16
    assert call.in_place is None, "rows are read once for every part"
    assert program.arena.nbytes <= 2 * 16 * 64 + 2048


def test_few_rows_read_weights_where_they_are():
    b = GraphBuilder("g")
    program = plan_program(b.graph(layer(b, b.input("x", (1, 2, 8), *INT8), 8)), ("cortex_m_dsp",))
    assert outputs_at_once(program.steps[0].call) == 0


def test_sums_too_wide_for_packed_weights_stay_with_the_portable_kernel():
    b = GraphBuilder("g")
    x = b.input("x", (1, 4096), *INT8)
    weight = b.const(np.full((4, 4096), 127, np.int8), "w", QuantParams((1e-4,) * 4, 0, 0))
    program = plan_program(b.graph(b.op(FullyConnected(), x, weight, quant=INT8)), ("cortex_m_dsp",))
    assert program.steps[0].call.kernel == "fully_connected_s8"
