"""What can be asked for, and what of it is a mistake; and a machine without labgrid."""

from __future__ import annotations

from importlib.machinery import PathFinder

import pytest
from support.targets import STM32F4, TARGETS
from tflm_hil.boards.labgrid.board import LabgridKind
from tflm_hil.boards.labgrid.place import Place
from tflm_hil.boards.labgrid.request import WAIT_S, parse
from tflm_hil.boards.spec import parse as parse_spec
from tflm_hil.errors import HilError

PLACES = [
    Place("desk", frozenset({"mine"}), {"kind": "nucleo", "lab": "1"}, None, 0.0, False),
    Place("shelf", frozenset({"his"}), {"kind": "nucleo", "lab": "2"}, None, 0.0, False),
    Place("mine", frozenset(), {}, None, 0.0, False),
]


@pytest.fixture(autouse=True)
def _no_coordinator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LG_COORDINATOR", raising=False)


@pytest.mark.parametrize(
    ("address", "names"),
    [
        ("desk", ["desk"]),
        ("mine", ["mine"]),  # rather than the one with this alias
        ("his", ["shelf"]),
        ("kind=nucleo", ["desk", "shelf"]),
        ("kind=nucleo,lab=2", ["shelf"]),
    ],
)
def test_places_by_name_alias_or_tags(address: str, names: list[str]) -> None:
    request = parse(parse_spec(f"labgrid:{address}", ["labgrid"]))
    assert [place.name for place in request.among(PLACES)] == names


def test_options_and_where_the_coordinator_is(monkeypatch: pytest.MonkeyPatch) -> None:
    request = parse(parse_spec("labgrid:desk", ["labgrid"]))
    assert (request.wait_s, request.takeover, request.port, request.coordinator) == (
        *(WAIT_S, False, None),
        "127.0.0.1:20408",
    )
    monkeypatch.setenv("LG_COORDINATOR", "lab:1")
    assert parse(parse_spec("labgrid:desk", ["labgrid"])).coordinator == "lab:1"
    request = parse(parse_spec("labgrid:desk?wait=5&takeover=yes&port=b&coordinator=other:2", ["labgrid"]))
    assert (request.wait_s, request.takeover, request.port, request.coordinator) == (5.0, True, "b", "other:2")
    assert request.board == "labgrid:desk"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labgrid:", "board labgrid:: name a place or tags: labgrid:PLACE or labgrid:TAG=VALUE[,TAG=VALUE]"),
        ("labgrid:a=b,c", "board labgrid:a=b,c: 'c' is not TAG=VALUE"),
        ("labgrid:=b", "board labgrid:=b: '=b' is not TAG=VALUE"),
        (
            "labgrid:x?patience=5",
            "board labgrid:x: unknown option patience; there is wait, takeover, port, coordinator",
        ),
        ("labgrid:x?wait=soon", "board labgrid:x: wait=soon is no number of seconds"),
        ("labgrid:x?wait=-1", "board labgrid:x: wait=-1 is no number of seconds"),
        ("labgrid:x?takeover=1", "board labgrid:x: takeover=1 is neither yes nor no"),
    ],
)
def test_a_mistake_is_one_line(text: str, message: str) -> None:
    with pytest.raises(HilError) as caught:
        parse(parse_spec(text, ["labgrid"]))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("des", "has no place des; there is desk (kind=nucleo, lab=1); mine (no tags); shelf (kind=nucleo, lab=2)"),
        ("kind=disco", "has no place with kind=disco; there is desk (kind=nucleo, lab=1); mine (no tags); shelf (k"),
    ],
)
def test_what_there_is_not_lists_what_there_is(address: str, message: str) -> None:
    with pytest.raises(HilError, match=r"^board labgrid:.*: labgrid's coordinator 127\.0\.0\.1:20408 has no") as caught:
        parse(parse_spec(f"labgrid:{address}", ["labgrid"])).among(PLACES)
    assert message in str(caught.value)
    with pytest.raises(HilError, match=r"; there is no place at all$"):
        parse(parse_spec(f"labgrid:{address}", ["labgrid"])).among([])


def test_without_labgrid_it_says_how_to_get_it() -> None:
    if PathFinder.find_spec("labgrid"):
        pytest.skip("labgrid is installed")
    told = r"^boards of labgrid need labgrid \(No module named 'labgrid'\): pip install 'tflm-hil\[labgrid\]'$"
    with pytest.raises(HilError, match=told):
        LabgridKind().check(parse_spec("labgrid:desk", ["labgrid"]), [STM32F4])


def test_a_place_has_one_chip() -> None:
    with pytest.raises(HilError, match=r"^2 targets for labgrid:desk, which is one chip; name one target$"):
        LabgridKind().check(parse_spec("labgrid:desk", ["labgrid"]), [STM32F4, TARGETS["stm32f2"]])
