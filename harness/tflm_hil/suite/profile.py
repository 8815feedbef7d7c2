"""What each operator of the network takes on the device; runs with --hil-profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflm_hil.pytest_plugin.recorder import Recorder
    from tflm_hil.results.groups import ProfileFigures

MOST = 1.05
"""Of the whole inference. Renode's own counts are that inexact, and on hardware caches make them vary."""


def test_operators_add_up_to_the_inference(operator_profile: ProfileFigures, record: Recorder) -> None:
    record.profile(operator_profile)
    together = sum(operator.count for operator in operator_profile.operators)
    assert operator_profile.operators
    assert 0 < together <= MOST * operator_profile.whole, (
        f"the operators take {together:,} {operator_profile.unit}, but all of the inference only "
        f"{operator_profile.whole:,}: the marks that measure them are not what is taken out for them"
    )
