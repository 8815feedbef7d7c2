"""From a source to a data set, one gesture at a time."""

from __future__ import annotations

from tflm_hil.capture.data_set import DataSet
from tflm_hil.capture.setup import Setup
from tflm_hil.capture.source import Gesture, Level, Note, Source
from tflm_hil.capture.view import View


def capture(source: Source, data_set: DataSet, view: View, wanted: int | None = None) -> int:
    """Write the gestures of `source` into `data_set`, `wanted` of them or without an end; return their number.

    Each is on the disk before `view` is told, so that whatever ends this loses none that was shown. Raises HilError as
    the source and the data set do.
    """
    setup: Setup | None = None
    captured = 0
    try:
        for event in source.events():
            if isinstance(event, Note):
                view.note(event.text)
            elif isinstance(event, Level):
                view.level(event.g, event.threshold_g)
            elif isinstance(event, Setup):
                setup = event
                data_set.check(setup)
            elif isinstance(event, Gesture) and setup is not None:
                data_set.add(setup, event.values, view.note)
                captured += 1
                view.gesture(captured, event.values)
                if clipped := setup.clipped(event.values):
                    view.note(f"gesture {captured} is clipped: {clipped}")
                if captured == wanted:
                    break
    finally:
        data_set.close()
    return captured
