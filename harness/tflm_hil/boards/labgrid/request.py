"""What `--board=labgrid:...` asks for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tflm_hil.boards.labgrid.place import Place
from tflm_hil.boards.spec import BoardSpec
from tflm_hil.errors import HilError

WAIT_S = 600.0
"""How long to wait for a place, unless the user says otherwise: longer than a run of the suite takes."""

OPTIONS = ("wait", "takeover", "port", "coordinator")
_COORDINATOR = "127.0.0.1:20408"
"""Where labgrid's own programs look for their coordinator."""


@dataclass(frozen=True)
class PlaceRequest:
    """A place called `name`, or any that has all of `tags`.

    `board` is what the user calls it. With `takeover`, what a run that was killed has left acquired may be taken over.
    `port` is the name of one of several serial ports, `pid` the process that asks.
    """

    board: str
    name: str
    tags: Mapping[str, str]
    wait_s: float
    takeover: bool
    port: str | None
    coordinator: str
    pid: int

    def __str__(self) -> str:
        return f"place {self.name}" if self.name else f"a place with {_pairs(self.tags)}"

    def among(self, places: Iterable[Place]) -> list[Place]:
        """Return the places that are asked for. Raises HilError that lists what there is."""
        places = sorted(places, key=lambda place: place.name)
        if self.name:
            found = [place for place in places if self.name == place.name] or [
                place for place in places if self.name in place.aliases
            ]
        else:
            found = [place for place in places if self.tags.items() <= place.tags.items()]
        if not found:
            there = "; ".join(f"{place.name} ({_pairs(place.tags) or 'no tags'})" for place in places)
            raise HilError(
                f"board {self.board}: labgrid's coordinator {self.coordinator} has no"
                f" {str(self).removeprefix('a ')}; there is {there or 'no place at all'}"
            )
        return found


def parse(spec: BoardSpec) -> PlaceRequest:
    """Return what `spec` asks for. Raises HilError for what it cannot mean."""
    if unknown := spec.options.keys() - set(OPTIONS):
        raise HilError(f"board {spec.text}: unknown option {min(unknown)}; there is {', '.join(OPTIONS)}")
    tags = _tags(spec)
    if not spec.address:
        raise HilError(f"board {spec.text}: name a place or tags: labgrid:PLACE or labgrid:TAG=VALUE[,TAG=VALUE]")
    return PlaceRequest(
        board=spec.text,
        name="" if tags else spec.address,
        tags=tags,
        wait_s=_seconds(spec),
        takeover=_takeover(spec),
        port=spec.options.get("port"),
        coordinator=spec.options.get("coordinator") or os.environ.get("LG_COORDINATOR") or _COORDINATOR,
        pid=os.getpid(),
    )


def _tags(spec: BoardSpec) -> dict[str, str]:
    if "=" not in spec.address:
        return {}
    tags = {}
    for pair in spec.address.split(","):
        tag, equals, value = pair.partition("=")
        if not (tag and equals):
            raise HilError(f"board {spec.text}: {pair!r} is not TAG=VALUE")
        tags[tag] = value
    return tags


def _seconds(spec: BoardSpec) -> float:
    text = spec.options.get("wait")
    if text is None:
        return WAIT_S
    if not text.isdecimal():
        raise HilError(f"board {spec.text}: wait={text} is no number of seconds")
    return float(text)


def _takeover(spec: BoardSpec) -> bool:
    text = spec.options.get("takeover", "no")
    if text not in ("yes", "no"):
        raise HilError(f"board {spec.text}: takeover={text} is neither yes nor no")
    return text == "yes"


def _pairs(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{tag}={value}" for tag, value in sorted(tags.items()))
