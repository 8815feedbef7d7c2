"""A session without toolchain and board, for tests of how the plugin handles results.

As a plugin (`-p support.fake_session`) it replaces the real session. It has one model with two variants, `int8` and
`float32`, and recordings in two files. Of the environment, FAKE_IMAGE holds the digest of its image, and
FAKE_EMULATORS what emulates its board. FAKE_SENSOR is the variant whose target has a sensor.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import tflm_hil.pytest_plugin.startup
from tflm_hil.boards.selection import BoardChoice, BoardSet, FoundBoard
from tflm_hil.boards.spec import BoardSpec
from tflm_hil.checks.parity import Parity
from tflm_hil.errors import DeviceError, HilError
from tflm_hil.lab.build import Build, Firmware
from tflm_hil.lab.losses import Loss
from tflm_hil.lab.measurement import Measurement, Traffic
from tflm_hil.lab.options import Options
from tflm_hil.models.manifest import Budget, Model, Variant
from tflm_hil.pytest_plugin.recorder import Recorder

from support.targets import STM32F4
from support.tiny_elf import write_tiny_elf

IMAGE: dict[str, Any] = {
    "flash_bytes": 20000,
    "ram_bytes": 1000,
    "ram_total_bytes": 3000,
    "sections": {},
    "flash_sections": (),
    "ram_sections": (),
    "symbols": [],
    "model_bytes": 10000,
    "target": STM32F4,
}


class FakeSession:
    def __init__(self, options: Options) -> None:
        self.options = options
        specs = [BoardSpec("emulated", kind) for kind in os.environ.get("FAKE_EMULATORS", "qemu").split()]
        kind: Any = SimpleNamespace(processes=lambda _: None)
        choices = [BoardChoice(FoundBoard(spec, kind, kind, ""), f"{spec.kind} 0", (), ("uart",)) for spec in specs]
        self.boards = [BoardSet((choice,)) for choice in choices]
        self.board = self.boards[0]
        self.missing_engines = {"tflm": "fake"}
        self.toolchain = {"arm-none-eabi-gcc": "12.2"}
        limit = os.environ.get("FAKE_BUDGET")
        budgets = {"stm32f4": {"aot": Budget(instructions=int(limit))}} if limit else {}
        self._variants = {name: Variant(name, Path(__file__), budgets) for name in ("int8", "float32")}
        self._model = Model("m", "", ["a", "b"], 1, 1, 1.0, [], None, self._variants, Path())

    @property
    def builds(self) -> list[Build]:
        return [Build(self._model, variant, "aot", "stm32f4") for variant in self._variants.values()]

    def open_board(self, _run_dir: Path, _say: object, choice: BoardChoice) -> Any:
        return SimpleNamespace(name="emulated", emulator=choice.emulator, close=lambda: None)

    def senses(self, build: Build) -> bool:
        return build.variant.name == os.environ.get("FAKE_SENSOR")

    def changed(self) -> list[Path]:
        changed = os.environ.get("FAKE_CHANGED")
        return [self.options.root / changed] if changed else []

    def header(self) -> list[str]:
        return ["hil: fake"]

    def recordings(self, _model: object) -> dict[str, list[Any]]:
        return {f"{file}.csv": [SimpleNamespace(name=f"{file}/{i}") for i in range(2)] for file in "ab"}

    def reference(self, _path: Path) -> Any:
        return SimpleNamespace(name="fake")

    def firmware(self, build: Build, say: object) -> Firmware:
        del say
        if os.environ.get("FAKE_REFUSED") == build.variant.name:
            raise HilError(f"{build.name}: no engine takes this network")
        elf = write_tiny_elf(self.options.root / f"fake-{os.getpid()}.elf")
        image: Any = SimpleNamespace(**IMAGE, elf=elf, generated=elf, elf_sha256=os.environ.get("FAKE_IMAGE", "1"))
        return Firmware(build.model, build.variant, build.engine, build.target, image)


def measured(windows: int = 10) -> Measurement:
    """Return a measurement of one file of recordings."""
    answers: Any = [SimpleNamespace(invoke=[100] * windows, prepare=[5] * windows)]
    firmware: Any = None
    return Measurement(firmware, answers, "instructions", Traffic(100, 1.0, 0, 0, 0))


def answer(record: Recorder, windows: int = 10) -> None:
    """Record the results of one file of recordings, like a test of the suite."""
    record.parity(Parity(windows, 0, True, 0.0, 0, windows, windows, windows, ()))
    record.measurement(measured(windows))


class FakeDevice:
    """Answers with five windows to each recording.

    It fails the first time on those that FAKE_LOST names, and always where FAKE_LOST_AGAIN is set.
    """

    def __init__(self, firmware: Firmware) -> None:
        self.firmware = firmware

    def stream(self, recordings: Sequence[Any], go_on: bool = False) -> Measurement:
        assert go_on
        lost = [each.name for each in recordings if self._fails(each.name)]
        reason = DeviceError("the board rebooted", ["-> #7 SAMPLES"])
        return replace(
            measured(5 * (len(recordings) - len(lost))),
            firmware=self.firmware,
            refused_counter=os.environ.get("FAKE_COUNTER", ""),
            lost=tuple(Loss(name, reason, 3) for name in lost),
        )

    def _fails(self, name: str) -> bool:
        mark = Path(name.replace("/", "-"))
        tried = mark.exists()
        mark.touch()
        named = name in os.environ.get("FAKE_LOST", "").split(",")
        return named and (not tried or "FAKE_LOST_AGAIN" in os.environ)


def pytest_addoption() -> None:
    """Replace the session in the earliest hook that a plugin named with -p sees."""
    vars(tflm_hil.pytest_plugin.startup)["Session"] = FakeSession
