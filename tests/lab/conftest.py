"""A bench for sessions with boards in memory."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from support.device_helpers import FakeClock
from support.fake_contact import Bench
from tflm_hil.device.client import Client
from tflm_hil.lab import contact


@pytest.fixture
def make_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Bench]:
    clock = FakeClock()
    monkeypatch.setattr(contact, "Client", functools.partial(Client, clock=clock))
    monkeypatch.setattr(contact, "check_layout", lambda *_arguments: None)
    return lambda *devices: Bench(tmp_path, clock, devices)
