"""The memory plan: nothing that is alive at the same time overlaps, and the arena is as small as it can be."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from tflm_hil.compiler.memory.plan import ALIGNMENT, Buffer, lower_bound, make_plan


@st.composite
def buffers(draw: st.DrawFn) -> list[Buffer]:
    result = []
    for name in range(draw(st.integers(0, 24))):
        first = draw(st.integers(0, 20))
        result.append(Buffer(name, draw(st.integers(1, 300)), first, first + draw(st.integers(0, 6))))
    return result


def aligned(given_buffers: list[Buffer]) -> list[Buffer]:
    return [Buffer(b.name, b.bytes + -b.bytes % ALIGNMENT, b.first, b.last) for b in given_buffers]


@st.composite
def lags(draw: st.DrawFn, given_buffers: list[Buffer]) -> dict[tuple[int, int], int]:
    """For most pairs, one way round or the other."""
    found = {}
    for pair in combinations(range(len(given_buffers)), 2):
        low, high = pair if draw(st.booleans()) else pair[::-1]
        if draw(st.integers(0, 3)):
            found[low, high] = draw(st.integers(0, 310))
    return found


@settings(max_examples=300)
@given(st.data())
def test_live_buffers_never_overlap_but_for_their_lag(data: st.DataObject) -> None:
    given_buffers = data.draw(buffers())
    given_lags = data.draw(lags(given_buffers)) if data.draw(st.booleans()) else {}
    plan = make_plan(given_buffers, given_lags)
    for one, other in combinations(given_buffers, 2):
        if one.meets(other):
            low, high = sorted((one, other), key=lambda buffer: plan.offsets[buffer.name])
            distance = plan.offsets[high.name] - plan.offsets[low.name]
            assert distance >= min(low.bytes, given_lags.get((low.name, high.name), low.bytes))
    for buffer in given_buffers:
        assert plan.offsets[buffer.name] % ALIGNMENT == 0
        assert 0 <= plan.offsets[buffer.name] <= plan.bytes - buffer.bytes
    if not given_lags:
        assert plan.bytes >= lower_bound(given_buffers)


@given(st.lists(st.integers(1, 500), min_size=1, max_size=30))
def test_a_chain_needs_no_more_than_its_two_largest_neighbours(sizes: list[int]) -> None:
    chain = [Buffer(step, size, step, step + 1) for step, size in enumerate(sizes)]
    plan = make_plan(chain)
    rounded = [buffer.bytes for buffer in aligned(chain)]
    most = max(a + b for a, b in zip(rounded, [*rounded[1:], 0], strict=True))
    assert plan.bytes == lower_bound(aligned(chain)) == most


def test_a_residual_connection_keeps_its_source_alive() -> None:
    # 0 feeds 1 and, at the end, 3.
    given_buffers = [Buffer(0, 100, 0, 3), Buffer(1, 40, 0, 1), Buffer(2, 60, 1, 2), Buffer(3, 40, 2, 3)]
    assert make_plan(given_buffers).bytes == lower_bound(given_buffers) == 200


def test_a_chain_of_outputs_that_follow_their_inputs_takes_little_more_than_the_largest() -> None:
    chain = [Buffer(step, 400 - 20 * step, step, step + 1) for step in range(10)]
    assert make_plan(chain).bytes == 780
    assert make_plan(chain, {(step + 1, step): 8 for step in range(9)}).bytes <= 480


def test_a_buffer_may_follow_one_that_is_much_smaller() -> None:
    # Where it covers the other one's end, the two still must not change places.
    for sizes in ((400, 20), (20, 400)):
        plan = make_plan([Buffer(0, sizes[0], 0, 0), Buffer(1, sizes[1], 0, 0)], {(0, 1): 8})
        assert plan.offsets[1] - plan.offsets[0] >= 8
        assert plan.bytes <= 408


@given(buffers())
def test_a_lag_beyond_the_end_means_nothing(given_buffers: list[Buffer]) -> None:
    names = [buffer.name for buffer in given_buffers]
    assert make_plan(given_buffers, dict.fromkeys(combinations(names, 2), 304)) == make_plan(given_buffers)


def test_the_lower_bound_of_nothing_is_zero() -> None:
    assert lower_bound([]) == 0
    assert make_plan([]).bytes == 0
