"""Where the rows of a recording stand among those that were sensed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.checks.sensing import found_at


@given(before=st.integers(0, 20), count=st.integers(1, 30), after=st.integers(0, 20))
def test_a_block_is_found_wherever_it_is(before: int, count: int, after: int) -> None:
    block = 1 + np.arange(2 * count, dtype=np.int16).reshape(count, 2)
    rows = np.concatenate([np.zeros((before, 2), np.int16), block, np.zeros((after, 2), np.int16)])
    assert found_at(block, rows) == (before, count)


@given(count=st.integers(2, 30), data=st.data())
def test_a_row_that_is_missing_doubled_or_wrong_ends_the_block(count: int, data: st.DataObject) -> None:
    block = 1 + np.arange(2 * count, dtype=np.int16).reshape(count, 2)
    at = data.draw(st.integers(count // 2, count - 1))
    wrong = block.copy()
    wrong[at, 1] ^= 1
    doubled = np.insert(block, at, block[at], axis=0)
    assert found_at(block, wrong) == (0, at)
    assert found_at(block, np.delete(block, at, axis=0)) == (0, at)
    assert found_at(block, doubled)[1] == (at + 1 if at < count - 1 else count)


def test_no_rows_hold_nothing() -> None:
    assert found_at(np.ones((3, 2), np.int16), np.zeros((0, 2), np.int16)) == (0, 0)
    assert found_at(np.ones((3, 2), np.int16), np.zeros((5, 2), np.int16)) == (0, 0)
