"""The memory plan: nothing that is alive at the same time overlaps, and the arena is as small as it can be."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.compiler.plan import ALIGNMENT, Buffer, lower_bound, make_plan


@st.composite
def buffers(draw: st.DrawFn) -> list[Buffer]:
    result = []
    for name in range(draw(st.integers(0, 24))):
        first = draw(st.integers(0, 20))
        result.append(Buffer(name, draw(st.integers(1, 300)), first, first + draw(st.integers(0, 6))))
    return result


@settings(deadline=None)
@given(buffers())
def test_live_buffers_never_overlap(given_buffers: list[Buffer]) -> None:
    plan = make_plan(given_buffers)
    for one, other in combinations(given_buffers, 2):
        if one.meets(other):
            low, high = sorted((one, other), key=lambda buffer: plan.offsets[buffer.name])
            assert plan.offsets[low.name] + low.bytes <= plan.offsets[high.name]
    for buffer in given_buffers:
        assert plan.offsets[buffer.name] % ALIGNMENT == 0
        assert 0 <= plan.offsets[buffer.name] <= plan.bytes - buffer.bytes
    assert plan.bytes >= plan.lower_bound


@settings(deadline=None)
@given(st.lists(st.integers(1, 500), min_size=1, max_size=30))
def test_a_chain_needs_no_more_than_its_two_largest_neighbours(sizes: list[int]) -> None:
    chain = [Buffer(step, size, step, step + 1) for step, size in enumerate(sizes)]
    plan = make_plan(chain)
    rounded = [size + -size % ALIGNMENT for size in sizes]
    assert plan.bytes == plan.lower_bound == max(a + b for a, b in zip(rounded, [*rounded[1:], 0], strict=True))


def test_a_residual_connection_keeps_its_source_alive() -> None:
    # 0 feeds 1 and, at the end, 3.
    plan = make_plan([Buffer(0, 100, 0, 3), Buffer(1, 40, 0, 1), Buffer(2, 60, 1, 2), Buffer(3, 40, 2, 3)])
    assert plan.bytes == plan.lower_bound == 200


def test_the_lower_bound_of_nothing_is_zero() -> None:
    assert lower_bound([]) == 0
    assert make_plan([]).bytes == 0
