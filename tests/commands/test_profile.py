"""What keeps operators from being measured, and is nobody's fault."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tflm_hil.commands.profile import NoProfileError, profile
from tflm_hil.engines.engine import Engine
from tflm_hil.lab.options import Flash


class Foreign(Engine):
    """An engine from elsewhere that says nothing of steps."""

    name = "mine"


def test_an_engine_that_names_no_steps_is_not_built_for_it() -> None:
    engine = Foreign()  # type: ignore[abstract]
    # It has no firmware(), so to build anything would be another error.
    session: Any = SimpleNamespace(
        options=SimpleNamespace(flash=Flash.AUTO),
        application=None,
        steps=lambda _: engine.steps(Path("network.tflite")),
    )
    firmware: Any = SimpleNamespace(engine=engine.name)
    nothing: Any = None
    with pytest.raises(NoProfileError, match="engine mine has no image that measures steps"):
        profile(session, nothing, firmware, nothing, Path("log"))
