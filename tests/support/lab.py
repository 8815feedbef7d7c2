"""A lab on this machine: labgrid's own coordinator, exporters and people, in threads of this process.

labgrid must be on the path: see the fixture `labgrid` of tests/boards/labgrid.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import wait
from pathlib import Path
from typing import Any

from tflm_hil.boards.labgrid.lease import PlaceLease

LABGRID = Path(sys.prefix) / "labgrid"
"""Where .ci/setup installs the packages of tests/support/labgrid.txt."""

HOST, USER = "bench", "me"
ME = f"{HOST}/{USER}"
"""What runs of tests are called."""

NETWORK_PORT = """
  console:
    cls: NetworkSerialPort
    host: 127.0.0.1
    port: 7
    speed: 115200
"""

Take = Callable[..., PlaceLease]

# As labgrid's coordinator: clients ask more often whether it is there than gRPC allows by itself.
OPTIONS = [
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
]
READY_S = 20.0
_POLL_S = 0.01


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    """A loop in a thread of its own, which runs to the end: gRPC cannot do without a loop that it has used."""
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    return loop


def call(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, loop()).result(READY_S)


def connect(address: str, name: str) -> tuple[Any, Any]:
    """A channel to the coordinator, and its methods.

    With an option of its own it has a connection of its own: by that the coordinator tells clients apart.
    """
    import grpc
    from labgrid.remote.generated import labgrid_coordinator_pb2_grpc

    channel = grpc.aio.insecure_channel(address, options=[("tests.name", name)])
    return channel, labgrid_coordinator_pb2_grpc.CoordinatorStub(channel)


class Exporter:
    """labgrid's exporter `name`; `resources` is the text of its configuration."""

    def __init__(self, address: str, name: str, resources: str, folder: Path) -> None:
        from labgrid.remote import exporter

        file = folder / f"{name}.yaml"
        file.write_text(resources)
        config = {
            "name": name,
            "hostname": "127.0.0.1",
            "isolated": False,
            "coordinator": address,
            "resources": str(file),
        }

        async def make() -> Any:
            made = exporter.Exporter(config)
            await made.channel.close()
            made.channel, made.stub = connect(address, name)
            return made

        self._exporter = call(make())
        self._run = asyncio.run_coroutine_threadsafe(self._exporter.run(), loop())

    def stop(self) -> None:
        """What it does after SIGTERM: end, and stop its ser2net. It would start that again if it was still there."""

        async def leave() -> None:
            for group in self._exporter.groups.values():
                for resource in group.values():
                    if getattr(resource, "child", None):
                        resource.stop()
            await self._exporter.channel.close()

        # labgrid 26 has a method that does this, 25 has none.
        if self._exporter.poll_task is not None:
            loop().call_soon_threadsafe(self._exporter.poll_task.cancel)
        wait([self._run], READY_S)
        call(leave())


class Person:
    """Somebody who works with labgrid-client; `name` is HOST/USER."""

    def __init__(self, address: str, name: str) -> None:
        call(self._start(address, name))

    async def _start(self, address: str, name: str) -> None:
        from labgrid.remote.common import queue_as_aiter
        from labgrid.remote.generated import labgrid_coordinator_pb2

        self._messages = labgrid_coordinator_pb2
        self._channel, self._stub = connect(address, name)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        startup, sync = labgrid_coordinator_pb2.ClientInMessage(), labgrid_coordinator_pb2.ClientInMessage()
        startup.startup.version, startup.startup.name, sync.sync.id = "test", name, 1
        queue.put_nowait(startup)
        queue.put_nowait(sync)
        self._stream = self._stub.ClientStream(queue_as_aiter(queue))
        await self._stream.read()

    def __call__(self, method: str, **fields: Any) -> Any:
        """Make a request, such as `AcquirePlace`."""

        async def request() -> Any:
            return await getattr(self._stub, method)(getattr(self._messages, f"{method}Request")(**fields))

        return call(request())

    def leave(self) -> None:
        async def close() -> None:
            self._stream.cancel()
            await self._channel.close()

        call(close())


class Lab:
    """labgrid's coordinator on a port of this machine, without a place. The configuration of exporters is in `folder`.

    It saves places in the working directory every quarter of a minute.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._exporters: list[Exporter] = []
        self._people: list[Person] = []
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        call(self._start())

    async def _start(self) -> None:
        import grpc
        from labgrid.remote import coordinator
        from labgrid.remote.generated import labgrid_coordinator_pb2_grpc

        self._server = grpc.aio.server(options=OPTIONS)
        self._coordinator = coordinator.Coordinator()
        labgrid_coordinator_pb2_grpc.add_CoordinatorServicer_to_server(self._coordinator, self._server)
        self._port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        await self._server.start()

    def stop(self) -> None:
        """It is gone, and with it who has which place."""
        call(self._server.stop(None))
        for task in self._coordinator.poll_tasks:
            loop().call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        for person in self._people:
            person.leave()
        for exporter in self._exporters:
            exporter.stop()
        self.stop()

    def person(self, name: str) -> Person:
        self._people.append(Person(self.address, name))
        return self._people[-1]

    def add_place(self, name: str, tags: dict[str, str] | None = None, match: str | None = None) -> None:
        """Add a place that has the group of resources of its name, or what `match` says."""
        admin = Person(self.address, "admin/admin")
        admin("AddPlace", name=name)
        admin("AddPlaceMatch", placename=name, pattern=match or f"*/{name}/*")
        admin("SetPlaceTags", placename=name, tags=tags or {})
        admin.leave()

    def holder(self, place: str) -> str | None:
        """HOST/USER of who has it."""
        return self._coordinator.places[place].acquired  # type: ignore[no-any-return]

    def export(self, name: str, resources: str) -> Exporter:
        """Start an exporter, and return when the coordinator knows all that it has."""
        exporter = Exporter(self.address, name, resources, self._folder)
        self._exporters.append(exporter)
        count = sum(line.startswith("  ") and not line.startswith("   ") for line in resources.splitlines())
        self.wait(lambda: sum(map(len, self._groups(name))) == count)
        return exporter

    def stop_exporter(self, exporter: Exporter, name: str) -> None:
        """Let it leave, and return when the coordinator knows."""
        self._exporters.remove(exporter)
        exporter.stop()
        self.wait(lambda: not self._groups(name))

    def _groups(self, exporter: str) -> list[Any]:
        session = self._coordinator.get_exporter_by_name(exporter)
        return list(session.groups.values()) if session else []

    @staticmethod
    def wait(condition: Any) -> None:
        until = time.monotonic() + READY_S
        while not condition():
            assert time.monotonic() < until, "it does not come to that"
            time.sleep(_POLL_S)
