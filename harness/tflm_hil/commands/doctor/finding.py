"""One thing that was looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tflm_hil.errors import HilError


@dataclass(frozen=True)
class Finding:
    """What was looked for, what was found, whether that is all right, and if not, the command that mends it.

    Nothing runs without what is `needed`; all else is for those who want it.
    """

    what: str
    found: str
    right: bool
    needed: bool
    command: str


def look_for(what: str, look: Callable[[], str], command: str, needed: bool = True) -> Finding:
    """`look` returns what it found, or raises HilError, whose remedy takes the place of an empty `command`."""
    try:
        return Finding(what, look(), True, needed, command)
    except HilError as error:
        said, _, remedy = str(error).partition("; ")
        return Finding(what, said, False, needed, command or remedy)
