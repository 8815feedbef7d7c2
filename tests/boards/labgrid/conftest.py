"""labgrid, as far as the machine has it, and a lab that is empty again for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lab import HOST, LABGRID, NETWORK_PORT, USER, Lab, Take
from tflm_hil.boards.labgrid.coordinator import Coordinator
from tflm_hil.boards.labgrid.lease import PlaceLease
from tflm_hil.boards.labgrid.place_queue import PlaceQueue
from tflm_hil.boards.labgrid.request import parse
from tflm_hil.boards.spec import parse as parse_spec
from tflm_hil.progress import Say, silent


@pytest.fixture(scope="session")
def labgrid() -> None:
    """labgrid, imported but not on the path: it is a plugin of pytest."""
    if not LABGRID.is_dir():
        pytest.skip(f"{LABGRID} is missing: run .ci/setup")
    # Or gRPC makes some of the forks crash that this process starts programs by.
    os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(LABGRID))
        import labgrid.remote.client
        import labgrid.remote.coordinator
        import labgrid.remote.exporter  # noqa: F401


@pytest.fixture
def lab(labgrid: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:  # noqa: ARG001
    """A lab whose coordinator is the one that runs look for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab = Lab(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(LABGRID))  # for the processes that keep a place
    monkeypatch.setenv("LG_COORDINATOR", lab.address)
    monkeypatch.setenv("LG_HOSTNAME", HOST)
    monkeypatch.setenv("LG_USERNAME", USER)
    yield lab
    lab.close()


@pytest.fixture
def desk(lab: Lab) -> None:
    """A place whose port is said to be served."""
    lab.add_place("desk", {"kind": "nucleo"})
    lab.export("bench", "desk:" + NETWORK_PORT)


@pytest.fixture
def shelf(lab: Lab) -> None:
    """Another one."""
    lab.add_place("shelf", {"kind": "nucleo"})
    lab.export("board", "shelf:" + NETWORK_PORT)


@pytest.fixture
def take(lab: Lab) -> Iterator[Take]:  # noqa: ARG001
    """Take what a board names, as the process of a run does. A place that is still held at the end is released."""
    leases = []

    def take(board: str, say: Say = silent) -> PlaceLease:
        request = parse(parse_spec(board, ["labgrid"]))
        coordinator = Coordinator(request.coordinator)
        try:
            leases.append(PlaceQueue(coordinator, request).take(request.wait_s, say))
        except BaseException:
            coordinator.close()
            raise
        return leases[-1]

    yield take
    for lease in leases:
        lease.release()
