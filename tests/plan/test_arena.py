import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgetx.plan import Buffer, plan_arena
from edgetx.plan.arena import ALIGNMENT

BUFFERS = st.lists(st.tuples(st.integers(1, 300), st.integers(0, 12), st.integers(0, 6)), min_size=1, max_size=14).map(
    lambda rows: [Buffer(f"b{i}", n, first, first + life) for i, (n, first, life) in enumerate(rows)]
)


@given(BUFFERS)
def test_live_buffers_never_share_memory(buffers):
    arena = plan_arena(buffers)
    for a, b in itertools.combinations(buffers, 2):
        if a.first <= b.last and b.first <= a.last:
            low, high = sorted((a, b), key=lambda buffer: arena.offsets[buffer.name])
            assert arena.offsets[low.name] + low.nbytes <= arena.offsets[high.name]


@given(BUFFERS)
def test_arena_holds_every_buffer_aligned_and_no_less_than_the_bound(buffers):
    arena = plan_arena(buffers)
    assert arena.nbytes >= arena.lower_bound
    for buffer in buffers:
        assert arena.offsets[buffer.name] % ALIGNMENT == 0
        assert arena.offsets[buffer.name] + buffer.nbytes <= arena.nbytes


def test_chain_needs_two_neighbours_at_a_time():
    sizes = [800, 1600, 400, 1200]
    buffers = [Buffer(f"b{i}", n, i, i + 1) for i, n in enumerate(sizes)]
    arena = plan_arena(buffers)
    assert arena.nbytes == arena.lower_bound == 2400


def test_nothing_to_place_is_an_empty_arena():
    assert plan_arena([]).nbytes == 0


@pytest.mark.parametrize("life", [0, 3])
def test_scratch_is_counted_only_while_it_is_needed(life):
    arena = plan_arena([Buffer("x", 80, 0, 5), Buffer("scratch", 160, 2, 2 + life), Buffer("late", 160, 3, 3)])
    assert arena.lower_bound == (240 if life == 0 else 400)
