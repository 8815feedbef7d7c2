"""What installed distributions add to the harness, found through entry points: boards and engines, ours included.

Nothing is loaded before it is asked for, so a distribution that is broken only stops the runs that need it.
"""

from __future__ import annotations

import functools
import re
import traceback
from collections.abc import Callable
from importlib import metadata
from typing import Any

from tflm_hil.errors import HilError

OWN = "tflm-hil"
DAMAGED = "a distribution with damaged metadata"


class ExtensionError(HilError):
    """An extension that cannot be loaded or does not do what it should. The line names its distribution."""


class Extension:
    """One entry point: `make` gives what it is for."""

    def __init__(self, entry: metadata.EntryPoint) -> None:
        self._entry = entry
        self._distribution = _described(entry.dist)
        self._package = re.split(r"\W", entry.value, maxsplit=1)[0]
        self.own = self._distribution.split()[0] == OWN

    def __str__(self) -> str:
        return f"{self._distribution}, entry point {self._entry.name} = {self._entry.value}"

    def make(self) -> Any:
        """Load the entry point and call it without arguments.

        What it returns turns its exceptions into an ExtensionError, and so does this method. Ours are left alone,
        because a fault of our own needs its traceback.
        """
        if self.own:
            return self._entry.load()()
        return self.guarded(self._calling(lambda: self._entry.load()())())

    def guarded(self, value: Any) -> Any:
        """`value`, or if it is an object of the extension's own package, a stand-in that reports its exceptions."""
        foreign = type(value).__module__.partition(".")[0] == self._package
        return _Guarded(self, value) if foreign and not self.own else value

    def _calling(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*arguments: Any, **named: Any) -> Any:
            try:
                return self.guarded(function(*arguments, **named))
            except HilError:
                raise
            except (Exception, SystemExit) as error:
                raise ExtensionError(f"{self}: {self._told(error)}; mend or uninstall it") from error

        return call

    def attribute(self, value: Any, name: str) -> Any:
        """The attribute `name` of a guarded `value`, guarded as well."""
        found = self._calling(getattr)(value, name)
        return self._calling(found) if callable(found) else found

    def _told(self, error: BaseException) -> str:
        """The exception in one line, with the last place in the extension that it came through."""
        frames = traceback.walk_tb(error.__traceback__)
        places = [
            f" ({frame.f_code.co_filename}:{line})"
            for frame, line in frames
            if str(frame.f_globals.get("__name__")).partition(".")[0] == self._package
        ]
        return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no reason given'}{''.join(places[-1:])}"


class _Guarded:
    """Stands for an object of an extension, and passes for one of its class."""

    def __init__(self, extension: Extension, value: Any) -> None:
        self.__dict__["_extension"], self.__dict__["_value"] = extension, value

    def __getattr__(self, name: str) -> Any:
        return self._extension.attribute(self._value, name)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._value)


def _described(distribution: metadata.Distribution | None) -> str:
    """Name and version, as far as the metadata are whole."""
    try:
        return f"{distribution.metadata['Name']} {distribution.version}" if distribution else DAMAGED
    except Exception:
        return DAMAGED


@functools.cache
def discover(group: str) -> dict[str, list[Extension]]:
    """The extensions of `group` by name, ours first; several of one name come from several distributions."""
    extensions = [(entry.name, Extension(entry)) for entry in metadata.entry_points(group=group)]
    if not any(extension.own for _, extension in extensions):
        raise HilError(f"the metadata of {OWN} are older than its code: install it again (pip install -e .)")
    found: dict[str, list[Extension]] = {}
    for name, extension in sorted(extensions, key=lambda pair: (not pair[1].own, pair[0], str(pair[1]))):
        found.setdefault(name, []).append(extension)
    return found


def find(group: str, name: str) -> Extension:
    """The extension `name` of `group`. Raises KeyError if there is none, ExtensionError if there are several."""
    first, *others = discover(group)[name]
    if others:
        said = " and ".join(map(str, (first, *others)))
        raise ExtensionError(f"{name}: {said} have the same name; uninstall one of them")
    return first
