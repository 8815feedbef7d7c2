"""Windows follow their definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tflm_hil.recordings import window_count, window_labels, windows


@given(rows=st.integers(0, 60), channels=st.integers(1, 4), window=st.integers(1, 40), stride=st.integers(1, 50))
def test_windows_begin_a_stride_apart_and_are_full(rows: int, channels: int, window: int, stride: int) -> None:
    samples = np.arange(rows * channels, dtype=np.int16).reshape(rows, channels)
    expected = [samples[start : start + window] for start in range(0, rows, stride) if start + window <= rows]
    view = windows(samples, window, stride)
    assert view.shape == (len(expected), window, channels)
    assert window_count(rows, window, stride) == len(expected)
    assert all(np.array_equal(got, wanted) for got, wanted in zip(view, expected, strict=True))


@given(
    labels=st.lists(st.sampled_from([None, "punch", "flex"]), max_size=30),
    window=st.integers(1, 8),
    stride=st.integers(1, 4),
)
def test_a_window_is_labelled_by_most_of_its_rows(labels: list[str | None], window: int, stride: int) -> None:
    result = window_labels(labels, window, stride)
    assert len(result) == window_count(len(labels), window, stride)
    for index, label in enumerate(result):
        rows = labels[index * stride : index * stride + window]
        for name in ("punch", "flex"):
            assert (label == name) == (rows.count(name) > window / 2)
