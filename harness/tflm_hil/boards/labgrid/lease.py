"""A place that this run has acquired."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tflm_hil.boards.labgrid.coordinator import Coordinator
from tflm_hil.boards.labgrid.lease_record import LeaseRecord
from tflm_hil.boards.labgrid.place import SERIAL_PORT, Resource, SerialServer
from tflm_hil.boards.labgrid.request import PlaceRequest
from tflm_hil.device.timeout import Deadline
from tflm_hil.errors import HilError
from tflm_hil.progress import Say

_POLL_S = 0.1


class PlaceLease:
    """The place `name` from `acquire` to `release`, which also ends the session with the coordinator; see Lease.

    `record` is locked and becomes the lease's.
    """

    def __init__(self, coordinator: Coordinator, name: str, record: LeaseRecord, request: PlaceRequest) -> None:
        self.name = name
        self._coordinator = coordinator
        self._record = record
        self._request = request
        self._acquired = False
        self._changed = 0.0

    def acquire(self) -> None:
        """Acquire it. Raises RefusedError if the coordinator refuses it."""
        self._acquired = True  # or soon, whatever interrupts this
        self._coordinator.acquire(self.name)
        self._changed = self._coordinator.places()[self.name].changed
        self._record.write(self._request.pid, self._changed)

    def forget(self) -> None:
        """Give up a place that could not be acquired. The session goes on."""
        self._acquired = False
        self._record.unlock()

    def release(self) -> None:
        """See Lease. Raises HilError if the coordinator has gone."""
        try:
            if self._acquired:
                self._acquired = False
                self._release()
        finally:
            self._record.unlock()
            self._coordinator.close()

    def trouble(self) -> str:
        """See Lease. What is wrong with the place as far as the coordinator knows."""
        return self._lost() or self._unserved(self._ports())

    def serial_port(self, patience: float, say: Say) -> SerialServer:
        """Return where its serial port is served as soon as it is, in `patience` seconds. `say` is told why it is not.

        Raises HilError if it does not, if there are several and none is named, or if the place is no longer ours.
        """
        deadline = Deadline(patience)
        while True:
            ports = self._ports()
            wanted = [port for port in ports if self._request.port in (None, port.name)]
            names = ", ".join(port.name for port in ports)
            if lost := self._lost():
                raise self._error(lost)
            if len(wanted) > 1:
                raise self._error(f"place {self.name} has several serial ports: name one with ?port=: {names}")
            if ports and not wanted:
                raise self._error(f"place {self.name} has no serial port {self._request.port}; there is {names}")
            if not (unserved := self._unserved(wanted)):
                return self._server(wanted[0])
            if deadline.expired:
                raise self._error(unserved)
            say(f"waiting {deadline.left:.0f} s: {unserved}")
            time.sleep(_POLL_S)

    def kinds(self) -> list[str]:
        """Return the kinds of its resources."""
        return [resource.kind for resource in self._coordinator.resources(self.name)]

    def _server(self, port: Resource) -> SerialServer:
        host, number = self._coordinator.host_and_port(port)
        values = port.arguments
        protocol, baud = values.get("protocol", "rfc2217"), values.get("speed", 115_200)
        return SerialServer(port.name, port.exporter, host, number, protocol, baud)

    def _error(self, what: str) -> HilError:
        return HilError(f"board {self._request.board}: {what}")

    def _ports(self) -> list[Resource]:
        return [port for port in self._coordinator.resources(self.name) if port.kind == SERIAL_PORT]

    def _lost(self) -> str:
        try:
            place = self._coordinator.places().get(self.name)
        except HilError as error:
            return str(error)
        if place is not None and place.holder == self._coordinator.me:
            return ""
        holder = f": {place.holder} has it" if place and place.holder else ""
        return f"somebody has taken place {self.name} away from this run{holder}"

    def _unserved(self, ports: Sequence[Resource]) -> str:
        """Why none of `ports` is served; "" if one is."""
        if not ports:
            return f"the exporter of place {self.name} has gone: start it again"
        if any(port.available and port.arguments.get("port") for port in ports):
            return ""
        if broken := ports[0].extra.get("broken"):
            return (
                f"exporter {ports[0].exporter} cannot serve {ports[0].name}: {broken}: see its log, and start it again"
            )
        return f"exporter {ports[0].exporter} does not serve {ports[0].name}: is the board connected there?"

    def _release(self) -> None:
        try:
            if self._coordinator.gone:
                self._release_anew()
            else:
                self._coordinator.release(self.name)
        except HilError as error:
            raise HilError(
                f"place {self.name} may still be acquired: {error}; then run `labgrid-client -p {self.name} release`"
            ) from None

    def _release_anew(self) -> None:
        """A coordinator that was started again has forgotten who had a place; one that was cut off has not."""
        self._coordinator.close()
        self._coordinator = Coordinator(self._coordinator.address)
        place = self._coordinator.places().get(self.name)
        if place and place.holder == self._coordinator.me and place.changed == self._changed:
            self._coordinator.release(self.name)
