"""What a network is run on once, to look at that one inference closely."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_hil.errors import HilError
from tflm_hil.lab.build import Firmware
from tflm_hil.lab.session import Session
from tflm_hil.models.stimuli import Stimulus, stimuli
from tflm_hil.recordings import Recording


@dataclass(frozen=True)
class Sample:
    """What the network is run on once: a recording of just one window, or the inputs of a model without windows.

    `name` is for people, `arguments` are those of commands that choose it.
    """

    name: str
    arguments: str
    data: Recording | Stimulus


def choose_sample(session: Session, firmware: Firmware, name: str | None = None, window: int = 0) -> Sample:
    """A window of the recording `name`, or the stimulus `name`; of the first one where it is None.

    Raises HilError where there is no such recording, window or stimulus.
    """
    model = firmware.model
    found: dict[str, Recording | Stimulus]
    if model.windowed:
        found = {recording.name: recording for recording in session.all_recordings(model)}
    else:
        found = {s.name: s for s in stimuli(session.reference(firmware.variant.path).inputs)}
    if name is None:
        name = next(iter(found))
    if name not in found:
        raise HilError(f"{name}: {model.name} has nothing of that name; there are e.g. {', '.join(list(found)[:3])}")
    data = found[name]
    if isinstance(data, Stimulus):
        return Sample(name, f"'{name}'", data)
    arguments = f"{name} --window {window}"
    return Sample(f"window {window} of {name}", arguments, data.only(window, model.window, model.stride))
