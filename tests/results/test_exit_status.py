from __future__ import annotations

import pytest
from tflm_hil.results.exit_status import exit_status


@pytest.mark.parametrize(
    ("failed", "regressed", "broken", "status", "first"),
    [
        ([], [], [], 0, "all passed"),
        (["t"], [], [], 1, "t"),
        (["t"], ["m"], ["b"], 1, "t and 2 more"),
        ([], ["m", "n"], [], 8, "m and 1 more"),
        ([], [], ["b"], 9, "b"),
        ([], ["m"], ["b"], 1, "m and 1 more"),
        (["t"], [], ["b"], 1, "t and 1 more"),
    ],
)
def test_the_status_says_what_kind_of_thing_is_wrong_and_names_the_first(
    failed: list[str], regressed: list[str], broken: list[str], status: int, first: str
) -> None:
    found, why = exit_status(failed, regressed, broken)
    assert found == status
    assert why.endswith(first)
