"""The suite's test of operators fails where what they take cannot be true, and keeps the figures all the same."""

from __future__ import annotations

from typing import Any

import pytest
from tflm_hil.results.groups import OperatorFigures, ProfileFigures
from tflm_hil.suite.profile import test_operators_add_up_to_the_inference as judge


class Record:
    kept: ProfileFigures | None = None

    def profile(self, profile: ProfileFigures) -> None:
        self.kept = profile


@pytest.mark.parametrize(("counts", "possible"), [([60, 39], True), ([60, 46], False), ([0, 0], False), ([], False)])
def test_operators_take_something_and_no_more_than_the_inference(counts: list[int], possible: bool) -> None:
    operators = [OperatorFigures(i, "RELU", "y", count) for i, count in enumerate(counts)]
    profile, record = ProfileFigures("instructions", "random 1", 100, operators), Record()
    given: Any = record
    if possible:
        judge(profile, given)
    else:
        with pytest.raises(AssertionError):
            judge(profile, given)
    assert record.kept is profile
