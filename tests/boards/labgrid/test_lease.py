"""What becomes of a place that a run has; with labgrid's own coordinator."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from support.lab import ME, NETWORK_PORT, Lab, Take
from tflm_hil.errors import HilError
from tflm_hil.progress import silent


def refusal(action: Callable[[], object]) -> str:
    with pytest.raises(HilError) as caught:
        action()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.usefixtures("desk")
def test_a_place_that_somebody_takes_away_is_his(lab: Lab, take: Take) -> None:
    lease = take("labgrid:desk")
    assert lease.trouble() == ""
    assert (lease.serial_port(0.0, silent).host, lease.serial_port(0.0, silent).port) == ("127.0.0.1", 7)
    alice = lab.person("home/alice")
    alice("ReleasePlace", placename="desk")
    alice("AcquirePlace", placename="desk")
    taken = "somebody has taken place desk away from this run: home/alice has it"
    lab.wait(lambda: lease.trouble() == taken)
    assert refusal(lambda: lease.serial_port(9.0, silent)) == f"board labgrid:desk: {taken}"
    lease.release()
    assert lab.holder("desk") == "home/alice"


@pytest.mark.usefixtures("desk")
def test_a_coordinator_that_has_gone_is_told(lab: Lab, take: Take) -> None:
    lease = take("labgrid:desk")
    lab.stop()
    lab.wait(lambda: lease.trouble() != "")
    assert lease.trouble().startswith(f"labgrid's coordinator {lab.address} has gone")
    assert "has gone" in refusal(lambda: lease.serial_port(9.0, silent))
    told = refusal(lease.release)
    assert re.fullmatch(
        r"place desk may still be acquired: labgrid's coordinator [\d.:]+ does not answer: Connection refused;"
        r" start .*; then run `labgrid-client -p desk release`",
        told,
    )
    assert "does not answer: Connection refused; start labgrid-coordinator there" in refusal(
        lambda: take("labgrid:desk")
    )
    lab.start()


def test_an_address_that_is_none_is_told(take: Take) -> None:
    told = refusal(lambda: take("labgrid:desk?coordinator=ws://lab:1/ws"))
    assert told.startswith("labgrid's coordinator ws://lab:1/ws does not answer: Misformatted domain name; start ")


@pytest.mark.usefixtures("desk")
def test_a_coordinator_that_was_started_again_may_have_given_the_place_to_somebody_else(lab: Lab, take: Take) -> None:
    """Even to another run of the same user, whose place is not to be released."""
    lease = take("labgrid:desk")
    lab.stop()
    lab.start()
    lab.add_place("desk")
    lab.person(ME)("AcquirePlace", placename="desk")
    lab.wait(lambda: lease.trouble() != "")
    lease.release()
    assert lab.holder("desk") == ME


def test_an_exporter_that_leaves_and_returns_is_waited_for(lab: Lab, take: Take) -> None:
    lab.add_place("desk")
    exporter = lab.export("bench", "desk:" + NETWORK_PORT)
    lease = take("labgrid:desk")
    lab.stop_exporter(exporter, "bench")
    gone = "the exporter of place desk has gone: start it again"
    lab.wait(lambda: lease.trouble() == gone)
    assert refusal(lambda: lease.serial_port(0.0, silent)) == f"board labgrid:desk: {gone}"
    lab.export("bench", "desk:" + NETWORK_PORT)
    lease.serial_port(9.0, silent)


def test_a_port_that_is_not_served_is_told(lab: Lab, take: Take) -> None:
    lab.add_place("desk")
    lab.export("bench", "desk:" + NETWORK_PORT.replace("port: 7", "port: null"))
    assert refusal(lambda: take("labgrid:desk").serial_port(0.0, silent)) == (
        "board labgrid:desk: exporter bench does not serve console: is the board connected there?"
    )


def test_of_several_serial_ports_one_is_named(lab: Lab, take: Take) -> None:
    lab.add_place("desk")
    lab.export("bench", "desk:" + "".join(NETWORK_PORT.replace("console", name) for name in "ab"))
    lease = take("labgrid:desk")
    assert refusal(lambda: lease.serial_port(9.0, silent)) == (
        "board labgrid:desk: place desk has several serial ports: name one with ?port=: a, b"
    )
    lease.release()
    lease = take("labgrid:desk?port=c")
    assert refusal(lambda: lease.serial_port(9.0, silent)) == (
        "board labgrid:desk: place desk has no serial port c; there is a, b"
    )
    lease.release()
    assert take("labgrid:desk?port=b").serial_port(0.0, silent).name == "b"


def test_a_place_without_a_serial_port_is_told_at_once(lab: Lab, take: Take) -> None:
    lab.add_place("desk")
    assert refusal(lambda: take("labgrid:desk")) == (
        "board labgrid:desk: no serial port at place desk: start its exporter, or let the place have a port of it"
        " (`labgrid-client -p desk add-match EXPORTER/GROUP/NetworkSerialPort`)"
    )
