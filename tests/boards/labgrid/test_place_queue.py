"""Who gets a place, who waits for it, and what is said of the one who has it; with labgrid's own coordinator."""

from __future__ import annotations

import re

import pytest
from support.lab import ME, Lab, Person, Take
from tflm_hil.boards.labgrid.lease_record import LeaseRecord
from tflm_hil.errors import HilError


def as_another_run(lab: Lab, killed: bool = False) -> Person:
    """Acquire the desk as another process of this user does."""
    other = lab.person(ME)
    record = LeaseRecord(lab.address, "desk", ME)
    assert record.lock()
    other("AcquirePlace", placename="desk")
    record.write(4711, next(place.changed for place in other("GetPlaces").places if place.name == "desk"))
    if killed:
        record.unlock()
    else:
        other.record = record  # type: ignore[attr-defined]  # It is locked as long as it lives.
    return other


def refusal(take: Take, board: str) -> str:
    with pytest.raises(HilError) as caught:
        take(board)
    assert "\n" not in str(caught.value)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "TODAY", str(caught.value))


@pytest.mark.usefixtures("desk")
def test_a_free_place_is_had_until_it_is_released(lab: Lab, take: Take) -> None:
    lease = take("labgrid:desk")
    assert lab.holder("desk") == ME
    lease.release()
    assert lab.holder("desk") is None
    lease.release()
    take("labgrid:desk").release()  # One session after another.


@pytest.mark.usefixtures("desk", "shelf")
def test_of_several_places_one_that_is_free_is_taken(lab: Lab, take: Take) -> None:
    lab.person("home/alice")("AcquirePlace", placename="desk")
    assert take("labgrid:kind=nucleo").name == "shelf"


@pytest.mark.usefixtures("desk", "shelf")
def test_who_waits_is_told_for_whom_and_gets_what_is_released_first(lab: Lab, take: Take) -> None:
    alice = lab.person("home/alice")
    for place in ("desk", "shelf"):
        alice("AcquirePlace", placename=place)
    told = []

    def say(text: str) -> None:
        told.append(text)
        if len(told) == 2:
            alice("ReleasePlace", placename="shelf")

    assert take("labgrid:kind=nucleo?wait=30", say).name == "shelf"
    assert re.fullmatch(
        r"waiting 30 s for a place with kind=nucleo: desk: home/alice has it since [-\d]+ [:\d]+; shelf: home/alice .*",
        told[0],
    )


@pytest.mark.usefixtures("desk")
def test_after_the_deadline_it_says_who_has_the_place(lab: Lab, take: Take) -> None:
    lab.person("home/alice")("AcquirePlace", placename="desk")
    assert refusal(take, "labgrid:desk?wait=0") == (
        "board labgrid:desk: place desk was not free for 0 s: desk: home/alice has it since TODAY;"
        " wait longer (?wait=SECONDS), or ask for its release"
    )
    assert lab.holder("desk") == "home/alice"


@pytest.mark.usefixtures("desk")
def test_another_run_of_the_same_user_is_waited_for_even_if_takeover_is_allowed(lab: Lab, take: Take) -> None:
    other = as_another_run(lab)
    assert "another run of yours on this machine has it (process 4711); wait longer" in refusal(
        take, "labgrid:desk?wait=0&takeover=yes"
    )
    assert lab.holder("desk") == ME
    told: list[str] = []

    def say(text: str) -> None:
        told.append(text)
        if len(told) == 1:
            other("ReleasePlace", placename="desk")
            other.record.unlock()  # type: ignore[attr-defined]

    take("labgrid:desk?wait=30", say)


@pytest.mark.usefixtures("desk")
def test_what_a_killed_run_has_left_is_taken_over_if_allowed_and_else_told_at_once(lab: Lab, take: Take) -> None:
    as_another_run(lab, killed=True)
    assert refusal(take, "labgrid:desk") == (  # without any wait
        "board labgrid:desk: desk: a run of yours that was killed has left it acquired"
        " (process 4711); to take it over, run with --board='labgrid:desk?takeover=yes', or"
        " `labgrid-client -p desk release`"
    )
    assert lab.holder("desk") == ME
    take("labgrid:desk?takeover=yes").release()
    assert lab.holder("desk") is None


@pytest.mark.usefixtures("desk", "shelf")
def test_what_a_killed_run_has_left_is_no_obstacle_if_there_are_other_places(lab: Lab, take: Take) -> None:
    as_another_run(lab, killed=True)
    assert take("labgrid:kind=nucleo?takeover=yes").name == "shelf"


@pytest.mark.usefixtures("desk")
def test_what_the_user_has_acquired_by_hand_is_his(lab: Lab, take: Take) -> None:
    other = as_another_run(lab, killed=True)
    other("ReleasePlace", placename="desk")
    other("AcquirePlace", placename="desk")
    assert refusal(take, "labgrid:desk?wait=0&takeover=yes") == (
        "board labgrid:desk: place desk was not free for 0 s: desk: you have it since TODAY, but it was not acquired by"
        " a run of the harness (`labgrid-client -p desk release`); wait longer (?wait=SECONDS), or ask for its release"
    )
    assert lab.holder("desk") == ME


@pytest.mark.usefixtures("desk")
def test_a_reserved_place_is_for_who_has_reserved_it(lab: Lab, take: Take) -> None:
    alice = lab.person("home/alice")
    token = alice("CreateReservation", filters={"main": {"filter": {"kind": "nucleo"}}}, prio=0.0).reservation.token
    told = []

    def say(text: str) -> None:
        told.append(text)
        if len(told) == 1:
            alice("CancelReservation", token=token)

    take("labgrid:desk?wait=30", say)
    assert told[0].endswith("desk: somebody has reserved it (`labgrid-client reservations`)")
