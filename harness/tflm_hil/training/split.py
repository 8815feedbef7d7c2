"""Split recordings into those to train on and those to validate with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tflm_hil.errors import HilError
from tflm_hil.recordings import Recording

_PART = re.compile(r"\.\d+$")


@dataclass(frozen=True)
class Split:
    """The names of the recordings on each side, in the order of the manifest."""

    training: tuple[str, ...]
    validation: tuple[str, ...]


@dataclass(frozen=True)
class _Session:
    """What was recorded in one go: a recording, or all parts of one whose times have holes."""

    names: tuple[str, ...]
    labels: frozenset[str]


def split(
    recordings: Sequence[Recording], labels: Sequence[str], window: int, stride: int, validation: float, seed: int
) -> Split:
    """Put about the share `validation` of the recordings of each label aside, drawn with `seed`.

    A recording is never divided: windows overlap, and those of one session resemble each other, so a network that is
    judged by windows of a session that it was trained on seems better than it is. Recordings with a label per row are
    drawn among those with the same labels. Every label is on both sides.

    Raises HilError, which names it, if a label has too few recordings for that.
    """
    sessions = _sessions(recordings, window, stride)
    for label in labels:
        count = sum(label in session.labels for session in sessions)
        if count < 2:
            found = "no window of any recording" if count == 0 else "windows in 1 recording only"
            raise HilError(
                f"label {label!r} has {found}; it takes 2, one to train on and one to validate with: record more"
            )
    rng = np.random.default_rng(seed)
    aside: set[_Session] = set()
    for wanted in dict.fromkeys(session.labels for session in sessions):
        alike = [session for session in sessions if session.labels == wanted]
        count = 0 if len(alike) == 1 else min(max(round(len(alike) * validation), 1), len(alike) - 1)
        aside |= {alike[at] for at in rng.permutation(len(alike))[:count].tolist()}
    for label in labels:
        _complete(label, sessions, aside)
    chosen = {name for session in aside for name in session.names}
    names = [recording.name for recording in recordings]
    return Split(tuple(name for name in names if name not in chosen), tuple(name for name in names if name in chosen))


def _sessions(recordings: Sequence[Recording], window: int, stride: int) -> list[_Session]:
    groups: dict[tuple[Path, str], list[Recording]] = {}
    for recording in recordings:
        groups.setdefault((recording.file, _PART.sub("", recording.name)), []).append(recording)
    return [
        _Session(
            tuple(recording.name for recording in group),
            frozenset(
                label for recording in group for label in recording.window_labels(window, stride) if label is not None
            ),
        )
        for group in groups.values()
    ]


def _complete(label: str, sessions: Sequence[_Session], aside: set[_Session]) -> None:
    """Put the smallest session with `label` to the side that has none; the other one has at least two."""
    having = [session for session in sessions if label in session.labels]
    there = [session for session in having if session in aside]
    if len(there) not in (0, len(having)):
        return
    # Sessions of several labels draw more with them, so the one with the fewest labels moves.
    moved = min(having, key=lambda session: len(session.labels))
    aside ^= {moved}
