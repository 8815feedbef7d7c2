"""A session with labgrid's coordinator."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
from argparse import Namespace
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from typing import Any, TypeVar

from tflm_hil.boards.labgrid.place import Place, Resource
from tflm_hil.errors import HilError

_PORT = 20408
"""labgrid's own."""
_START_S = 10.0
_ANSWER_S = 30.0
"""A coordinator that asks several exporters, one of which is dead, takes ten seconds for each."""
_END_S = 5.0

Result = TypeVar("Result")


class RefusedError(HilError):
    """The coordinator refused a request."""


class Coordinator:
    """A session with the coordinator at `address`, which is HOST or HOST:PORT; close it at the end.

    A process can have one at a time: gRPC lets sessions share a connection, and by that the coordinator tells them
    apart. Raises HilError if labgrid is missing, or if the coordinator does not answer.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._client, self._messages = _labgrid()
        self._loop = _loop()
        self._errors = _LastError()
        logging.getLogger().addHandler(self._errors)
        try:
            self._session = self._start()
        except BaseException:
            logging.getLogger().removeHandler(self._errors)
            raise
        self.me: str = f"{self._session.gethostname()}/{self._session.getuser()}"
        """HOST/USER, by which the coordinator knows who has acquired a place."""

    _remedy = "start labgrid-coordinator there, or name another with LG_COORDINATOR or ?coordinator=HOST:PORT"

    def _start(self) -> Any:
        from labgrid.util.proxy import proxymanager

        async def start() -> Any:
            # args is what labgrid-client's options are to its session.
            session = self._client.ClientSession(address, self._loop, args=Namespace(place=None))
            await session.start()
            return session

        try:
            address = proxymanager.get_grpc_address(self.address, default_port=_PORT)
            return self._submit(start()).result(_START_S)
        except TimeoutError:
            why = f"no connection within {_START_S:g} s"
        except Exception as error:
            why = self._errors.text or " ".join(str(error).split()) or type(error).__name__
        raise HilError(f"{self._name} does not answer: {why}; {self._remedy}")

    @property
    def _name(self) -> str:
        return f"labgrid's coordinator {self.address}"

    @property
    def gone(self) -> str:
        """What is wrong with the connection to the coordinator, or ""."""
        if not self._session.stopping.is_set():
            return ""
        why = f" ({self._errors.text})" if self._errors.text else ""
        return f"{self._name} has gone{why}: start it again"

    def places(self) -> dict[str, Place]:
        """Return all places by name. Raises HilError if the coordinator has gone."""
        return self._call(self._places())

    def resources(self, place: str) -> list[Resource]:
        """Return what exporters offer for a place at the moment."""
        return self._call(self._resources(place))

    def acquire(self, place: str) -> None:
        """Acquire a place. Raises RefusedError, for example because somebody else was quicker."""
        request = self._messages.AcquirePlaceRequest(placename=place)
        self._call(self._request(self._session.stub.AcquirePlace, request))

    def release(self, place: str) -> None:
        """Release a place if this user has acquired it on this machine."""
        request = self._messages.ReleasePlaceRequest(placename=place, fromuser=self.me)
        self._call(self._request(self._session.stub.ReleasePlace, request))

    def host_and_port(self, resource: Resource) -> tuple[str, int]:
        """Return where to reach a network resource, through an SSH tunnel if its exporter or LG_PROXY asks for one.

        Raises HilError if there is no tunnel.
        """
        from labgrid.resource import NetworkSerialPort
        from labgrid.util.proxy import proxymanager

        reached = NetworkSerialPort(None, resource.name, **resource.arguments)
        reached.extra = resource.extra
        try:
            host, port = proxymanager.get_host_and_port(reached)
        except Exception as error:
            raise HilError(f"{resource.exporter}: no SSH tunnel to it: {' '.join(str(error).split())}") from None
        return host, port

    def close(self) -> None:
        """End the session; closing twice is harmless."""

        async def stop() -> None:
            self._session.stopping.set()
            await self._session.stop()
            await self._session.close()

        if self._errors in logging.getLogger().handlers:
            logging.getLogger().removeHandler(self._errors)
            with contextlib.suppress(TimeoutError):
                self._submit(stop()).result(_END_S)

    def _submit(self, coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        try:
            return self._submit(coroutine).result(2 * _ANSWER_S)
        except TimeoutError:
            raise HilError(f"{self._name} does not answer within {2 * _ANSWER_S:g} s; {self._remedy}") from None

    async def _request(self, method: Any, request: Any) -> None:
        try:
            await method(request, timeout=_ANSWER_S)
        except self._client.grpc.aio.AioRpcError as error:
            if self.gone:
                raise HilError(self.gone) from None
            raise RefusedError(f"{self._name} refuses: {error.details()}") from None
        await self._session.sync_with_coordinator()

    async def _places(self) -> dict[str, Place]:
        if self.gone:
            raise HilError(self.gone)
        return {name: self._place(place) for name, place in self._session.places.items()}

    def _place(self, place: Any) -> Place:
        return Place(
            name=place.name,
            aliases=frozenset(place.aliases),
            tags=dict(place.tags),
            holder=place.acquired,
            changed=place.changed,
            reserved=bool(place.reservation),
        )

    async def _resources(self, name: str) -> list[Resource]:
        return list(self._matching(self._session.places[name])) if name in self._session.places else []

    def _matching(self, place: Any) -> Iterator[Resource]:
        for exporter, groups in sorted(self._session.resources.items()):
            for group_name, group in sorted(groups.items()):
                for name, entry in sorted(group.items()):
                    if "cls" not in entry.data:  # It has gone.
                        continue
                    match = place.getmatch((exporter, group_name, entry.cls, name))
                    if match is not None:
                        yield Resource(
                            name=match.rename or name,
                            kind=entry.cls,
                            exporter=exporter,
                            available=entry.avail,
                            user=entry.acquired,
                            arguments=entry.args,
                            extra=entry.extra,
                        )


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop that all sessions of this process share, in a thread of its own: places change at any time.

    gRPC cannot do without a loop that it has used.
    """
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()

    threading.Thread(target=run, name="labgrid", daemon=True).start()
    return loop


class _LastError(logging.Handler):
    """Keeps what labgrid's client says of its connection, which goes to the root logger.

    As there is a handler, logging makes none that writes it to stderr.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "root" and record.module == "client":
            self.text = record.getMessage().rpartition(": ")[2].rstrip("]")  # gRPC nests causes in brackets.


def _labgrid() -> tuple[Any, Any]:
    """Return labgrid's client and the messages of its coordinator. Raises HilError if they are missing."""
    try:
        from labgrid.remote import client
        from labgrid.remote.generated import labgrid_coordinator_pb2
    except ImportError as error:
        raise HilError(
            f"boards of labgrid need labgrid ({' '.join(str(error).split())}): pip install 'tflm-hil[labgrid]'"
        ) from None
    return client, labgrid_coordinator_pb2
