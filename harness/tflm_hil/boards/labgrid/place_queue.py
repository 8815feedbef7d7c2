"""Waiting for one of several places."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tflm_hil.boards.labgrid.coordinator import Coordinator, RefusedError
from tflm_hil.boards.labgrid.lease import PlaceLease
from tflm_hil.boards.labgrid.lease_record import LeaseRecord
from tflm_hil.boards.labgrid.place import SERIAL_PORT, Place
from tflm_hil.boards.labgrid.request import PlaceRequest
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.progress import Say

_POLL_S = 0.25


@dataclass(frozen=True)
class _Obstacle:
    """Why a place cannot be had now. `abandoned`: a run of this user was killed and left it, so waiting is in vain."""

    why: str
    abandoned: bool = False


class PlaceQueue:
    """Waits for a place that fits `request`, among others who do. labgrid keeps no order: who asks first has it.

    Runs that ask for the same tags share out the places that have them.
    """

    def __init__(self, coordinator: Coordinator, request: PlaceRequest) -> None:
        self._coordinator = coordinator
        self._request = request

    def check(self) -> int:
        """Return how many places fit. Raises HilError if none does, or if none of them has a serial port."""
        places = self._places()
        if not any(self._has_port(place) for place in places):
            raise HilError(
                f"board {self._request.board}: no serial port at place {', '.join(place.name for place in places)}:"
                " start its exporter, or let the place have a port of it"
                f" (`labgrid-client -p {places[0].name} add-match EXPORTER/GROUP/{SERIAL_PORT}`)"
            )
        return len(places)

    def take(self, wait_s: float, say: Say) -> PlaceLease:
        """Acquire a place that fits, and wait up to `wait_s` for one. `say` is told who has it.

        Raises HilError that says it when the time is over, and at once if runs that were killed have left all of them.
        """
        self.check()
        deadline = Deadline(wait_s)
        while True:
            obstacles: dict[str, _Obstacle] = {}
            for place in sorted(self._places(), key=lambda place: place.holder is not None):
                found = self._acquire(place)
                if isinstance(found, PlaceLease):
                    return found
                obstacles[place.name] = found
            abandoned = all(obstacle.abandoned for obstacle in obstacles.values())
            if abandoned or deadline.expired:
                raise self._none_is_free(obstacles, abandoned, wait_s)
            say(f"waiting {deadline.left:.0f} s for {self._request}: {_told(obstacles)}")
            time.sleep(min(_POLL_S, deadline.left))

    def _places(self) -> list[Place]:
        return self._request.among(self._coordinator.places().values())

    def _has_port(self, place: Place) -> bool:
        return any(resource.kind == SERIAL_PORT for resource in self._coordinator.resources(place.name))

    def _acquire(self, place: Place) -> PlaceLease | _Obstacle:
        me = self._coordinator.me
        if not self._has_port(place):
            return _Obstacle("its serial port has gone")
        if place.holder not in (None, me):
            return _Obstacle(f"{place.holder} has it since {_time(place)}")
        record = LeaseRecord(self._coordinator.address, place.name, me)
        if not record.lock():
            return _Obstacle(f"another run of yours on this machine has it{_process(record)}")
        lease = PlaceLease(self._coordinator, place.name, record, self._request)
        try:
            if place.holder == me and (obstacle := self._take_over(place, record)):
                lease.forget()
                return obstacle
            lease.acquire()
        except RefusedError as error:
            lease.forget()
            return _Obstacle(self._refusal(place, error))
        except BaseException:
            lease.release()
            raise
        return lease

    def _take_over(self, place: Place, record: LeaseRecord) -> _Obstacle | None:
        """Release what this user holds if a killed run has left it and he has allowed it; else say why not."""
        if not record.is_of(place):
            return _Obstacle(
                f"you have it since {_time(place)}, but it was not acquired by a run of the harness"
                f" (`labgrid-client -p {place.name} release`)"
            )
        if not self._request.takeover:
            return _Obstacle(f"a run of yours that was killed has left it acquired{_process(record)}", abandoned=True)
        self._coordinator.release(place.name)
        return None

    def _refusal(self, place: Place, error: RefusedError) -> str:
        if place.reserved:
            return "somebody has reserved it (`labgrid-client reservations`)"
        users = {resource.name: resource.user for resource in self._coordinator.resources(place.name) if resource.user}
        if users:
            return "; ".join(f"its {name} is in use by {user}" for name, user in users.items())
        return str(error)

    def _none_is_free(self, obstacles: Mapping[str, _Obstacle], abandoned: bool, wait_s: float) -> HilError:
        if abandoned:
            return HilError(
                f"board {self._request.board}: {_told(obstacles)}; to take it over, run with"
                f" --board='{self._request.board}?takeover=yes', or `labgrid-client -p {next(iter(obstacles))} release`"
            )
        return HilError(
            f"board {self._request.board}: {self._request} was not free for {wait_s:g} s: {_told(obstacles)};"
            " wait longer (?wait=SECONDS), or ask for its release"
        )


def _told(obstacles: Mapping[str, _Obstacle]) -> str:
    return "; ".join(f"{name}: {obstacle.why}" for name, obstacle in obstacles.items())


def _process(record: LeaseRecord) -> str:
    return f" (process {record.pid})" if record.pid else ""


def _time(place: Place) -> str:
    return f"{datetime.fromtimestamp(place.changed):%Y-%m-%d %H:%M}"
