"""Every operator computes on the device what it computes in the Python model; runs with --hil-trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tflm_hil.commands.trace import Trace


def test_every_operator_equals_the_reference(every_operator: Trace) -> None:
    assert every_operator.layers
    assert every_operator.first is None, str(every_operator)
