"""What a run works with, made from its options: models, engines, the firmware project and the board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

from tflm_hil.boards.board import Board
from tflm_hil.boards.board_file import load_named_boards
from tflm_hil.boards.qemu import program as qemu_program
from tflm_hil.boards.selection import EMULATORS, BoardChoice, BoardSet, FoundBoard, check_each, find_each
from tflm_hil.boards.spec import EMULATED
from tflm_hil.configuration import load_configuration
from tflm_hil.device.identity import Layout
from tflm_hil.device.traffic import SUFFIX
from tflm_hil.engines import selection as engines
from tflm_hil.engines.engine import Engine
from tflm_hil.engines.external.application import Application, load_application
from tflm_hil.engines.external.engine import ExternalEngine
from tflm_hil.errors import HilError, infrastructure
from tflm_hil.files import Snapshot
from tflm_hil.firmware import toolchain
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.lab.build import Build, Firmware
from tflm_hil.lab.contact import Contact
from tflm_hil.lab.dut import DeviceUnderTest, Progress, silent
from tflm_hil.lab.options import DEFAULT_TARGET, Flash, Options
from tflm_hil.models.chain import Chain
from tflm_hil.models.fit import check_fit, check_recording
from tflm_hil.models.manifest import EVERY, Channel, Model, Variant, load_models
from tflm_hil.models.reference import Reference
from tflm_hil.models.steps import Step
from tflm_hil.models.tflite_file import read
from tflm_hil.progress import Say
from tflm_hil.progress import silent as unsaid
from tflm_hil.recordings import Recording, by_file, load_recordings
from tflm_hil.targets import find_targets, load_targets

_UNSEEN = ("renode", "replay")
"""Kinds of boards that have an emulator, of which the harness does not learn what it executes."""


class Session:
    """Validated on construction, so that a wrong name is told before anything is built or started.

    Its models are those of the project, unless `model` is given.

    Raises:
        HilError: an unknown board, emulator, target, engine or model, or a tool that is missing.
    """

    def __init__(self, options: Options, model: Model | None = None) -> None:
        self.options = options
        self.configuration = load_configuration(options.root)
        self.application = None if model else load_application(self.configuration)
        self._known_targets = load_targets(self.configuration.targets)
        named = {} if options.boards == (EMULATED,) else load_named_boards(options.root)
        found = find_each(options.boards, options.emulator, named, options.link) if options.boards else []
        each = [board for boards in found for board in boards]
        emulated = {board.spec.kind for board in each}.intersection(EMULATORS)
        if emulated and options.flash is Flash.NEVER:
            raise HilError("--hil-flash=never: the emulated board keeps no image between runs; leave the option out")
        emulators = emulated or EMULATORS[:1]
        self.targets = find_targets(self._known_targets, self._target_names(each), emulators)
        self.boards, self.missing_emulators = check_each(found, self.targets)
        for board in self.boards if options.coverage else ():
            if board.emulator is None or board.kind in _UNSEEN:
                raise HilError(
                    f"coverage: nothing sees what {board.describe()} executes; use the board {EMULATED} in QEMU"
                )
        self.project = FirmwareProject(
            options.root / ".hil", qemu_program.run, targets=self._known_targets.values(), run=options.run
        )
        self.engines, self.missing_engines = self._choose_engines(options.engine)
        known = {model.name: model} if model else _known_models(options.root, self.application)
        self.known_models = frozenset(known)
        self.models = _models(known, options.models, self.configuration.models)
        self.toolchain = _toolchain(self.application)
        for engine in self.engines:
            self.toolchain |= engines.versions(engine, self.project)
        self._check_manifests()
        self._files = Snapshot(path for model in self.models for path in model.files)
        self._recordings = _recordings(self.models)
        self._references: dict[Path, Reference] = {}
        self._chains: dict[Path, Chain] = {}
        self._contacts: dict[tuple[str, str | None], Contact] = {}
        self._images: dict[tuple[str, ImageKind], FirmwareImage] = {}

    @property
    def board(self) -> BoardSet:
        """Where the tests run, in the first of several emulators. Raises HilError if no board was given."""
        if not self.boards:
            raise HilError("no board given; add --board=emulated")
        return self.boards[0]

    def senses(self, build: Build) -> bool:
        """Whether the target of `build` has a sensor whose rows are those of its model."""
        sensor = self._known_targets[build.target].sensor
        return sensor is not None and sensor.model.channels == len(build.model.channels)

    @cached_property
    def builds(self) -> list[Build]:
        """Every firmware that was asked for: models x variants x engines x targets."""
        return [
            Build(model, variant, engine.name, target.name)
            for model in self.models
            for variant in model.variants.values()
            if self.application is None or variant.name == self.application.variant
            for engine in self.engines
            for target in self.targets
        ]

    def header(self) -> list[str]:
        """What will run where, for the head of a report."""
        models = ", ".join(f"{model.name} ({', '.join(model.variants)})" for model in self.models)
        used = ", ".join(engine.name for engine in self.engines)
        return [
            f"hil: board {' and '.join(map(BoardSet.describe, self.boards))}, link {self._links()}, engines {used},"
            f" models {models}",
            *(f"hil: without emulator {name}: {reason}" for name, reason in self.missing_emulators.items()),
            *(f"hil: without engine {engine}: {reason}" for engine, reason in self.missing_engines.items()),
            *self._known_faults(),
        ]

    def _links(self) -> str:
        """The links to the boards; of an application of the user's own they may be known only when it is built."""
        known = None if self.application else 1
        links = [" or ".join(choice.links[:known]) for boards in self.boards for choice in boards.choices]
        return " and ".join(dict.fromkeys(links))

    def _known_faults(self) -> Iterator[str]:
        """Which networks an engine that is here would compute otherwise than the reference."""
        for engine in self.engines:
            for model in self.models:
                for variant in model.variants.values():
                    try:
                        fault = engine.known_fault(variant.path, self.project)
                    except HilError as error:
                        fault = str(error)
                    if fault:
                        yield f"hil: engine {engine.name}: {fault}"

    def recordings(self, model: Model) -> dict[str, list[Recording]]:
        """The recordings of a model by the name of their file; none of a model without windows."""
        return self._recordings[model.name]

    def all_recordings(self, model: Model) -> list[Recording]:
        """The same, whatever file they are in."""
        return [recording for file in self.recordings(model).values() for recording in file]

    def reference(self, tflite: Path) -> Reference:
        """The Python side of comparisons with this network."""
        if tflite not in self._references:
            self._references[tflite] = Reference(tflite)
        return self._references[tflite]

    def chain(self, model: Model, variant: Variant) -> Chain:
        """The steps from the trained network to the device, as far as they run on the host."""
        if variant.path not in self._chains:
            self._chains[variant.path] = Chain(model, variant, self.reference(variant.path))
        return self._chains[variant.path]

    def firmware(self, build: Build, kind: ImageKind = ImageKind.TESTED, say: Say = unsaid) -> Firmware:
        """The image, made up to date the first time that it is asked for.

        `say` is told what takes its time.
        """
        key = build.name, kind
        if key not in self._images:
            model, variant = build.model, build.variant
            check_fit(model, read(variant.path))
            engine = self._engine(build)
            target = self._known_targets[build.target]
            self._images[key] = engines.build(engine, self.project, model, variant.name, target, kind, say)
        return Firmware(build.model, build.variant, build.engine, build.target, self._images[key])

    def steps(self, build: Build) -> Sequence[Step] | None:
        """The steps of an inference that a profile image of `build` measures, in order; None if there is none."""
        return self._engine(build).steps(build.variant.path)

    def changed(self) -> list[Path]:
        """The files of models and recordings that somebody has written since: no figure says which state it is of."""
        return self._files.changed()

    def open_board(self, run_dir: Path, say: Say = unsaid, choice: BoardChoice | None = None) -> Board:
        """The board `choice`, or the first; close it when done. `say` is told what it is waited for."""
        with infrastructure():
            board = (choice or self.board.choices[0]).open(run_dir, say)
        if self.options.coverage:
            board.execution.record(run_dir)
        return board

    def connected(
        self, board: Board, firmware: Firmware, log: Path, progress: Progress = silent, say: Say = unsaid
    ) -> AbstractContextManager[DeviceUnderTest]:
        """Bring `firmware` onto `board`, unless it is there already, and open a session; see Contact.

        All traffic is recorded if the options say so, in a file that is named as the `log`.
        """
        layout = _layout(firmware.model, self.reference(firmware.variant.path))
        contact = self._contacts.setdefault((board.name, board.emulator), Contact())
        folder = self.options.traffic_dir
        traffic = folder / log.with_suffix(SUFFIX).name if folder else None
        return contact.connected(board, firmware, layout, log, self.options.flash, progress, say, traffic)

    def _engine(self, build: Build) -> Engine:
        return next(engine for engine in self.engines if engine.name == build.engine)

    def _target_names(self, boards: Sequence[FoundBoard]) -> tuple[str, ...]:
        if self.application is not None:
            return (self.application.target,)
        named = [board.spec.named for board in boards if board.spec.named]
        of_boards = [target.name for board in named if (target := board.target(self._known_targets))]
        default = self.configuration.default_target or DEFAULT_TARGET
        return self.options.targets or (of_boards[0] if of_boards else default,)

    def _choose_engines(self, asked: str) -> tuple[tuple[Engine, ...], dict[str, str]]:
        """The engines to use, and why others of an `auto` cannot be had."""
        if self.application is None:
            return engines.choose(asked, self.project)
        if asked not in (engines.AUTO, ExternalEngine.name):
            origin = self.configuration.origin
            raise HilError(f"engine {asked}: {origin} names an application of its own, which brings its own engine")
        return (ExternalEngine(self.application),), {}

    def _check_manifests(self) -> None:
        """A budget that applies to nothing would be a check that cannot fail, and so would a misspelt [[skip]]."""
        known = {"target": tuple(self._known_targets), "engine": (*engines.names(), ExternalEngine.name)}
        for model in self.models:
            for where, kind, name in _names(model):
                if name not in known[kind]:
                    there = ", ".join(known[kind])
                    raise HilError(f"{model.directory / 'model.toml'}: {where} names {kind} {name!r}; there is {there}")


def _names(model: Model) -> Iterator[tuple[str, str, str]]:
    """The targets and engines that a manifest names: where, which of both, and the name."""
    for skip in model.skips:
        yield from (
            ("[[skip]]", kind, name) for kind, name in (("target", skip.target), ("engine", skip.engine)) if name
        )
    for variant in model.variants.values():
        for target, table in variant.budgets.items():
            for engine in table:
                where = f"[variants.{variant.name}.budgets.{target}.{engine}]"
                pairs = (("target", target), ("engine", engine))
                yield from ((where, kind, name) for kind, name in pairs if name != EVERY)


def _layout(model: Model, reference: Reference) -> Layout:
    inputs, outputs = (
        tuple((spec.dtype, spec.elements) for spec in specs) for specs in (reference.inputs, reference.outputs)
    )
    return Layout(model.window, model.stride, len(model.channels), inputs, outputs)


def _known_models(root: Path, application: Application | None) -> dict[str, Model]:
    return load_models(root) if application is None else {application.model.name: application.model}


def _toolchain(application: Application | None) -> dict[str, str]:
    """The versions of what builds the firmware. Other tools may build an application of the user's own."""
    try:
        return toolchain.versions()
    except HilError:
        if application is None:
            raise
        return {}


def _models(known: dict[str, Model], asked: tuple[str, ...], folder: Path) -> list[Model]:
    if not known:
        raise HilError(f"{folder}: no folder in it has a model.toml; add a model as docs/add-your-own-model.md says")
    for name in asked:
        if name not in known:
            raise HilError(f"unknown model {name}; {folder.name}/ has {', '.join(sorted(known))}")
    return [model for name, model in sorted(known.items()) if not asked or name in asked]


def _recordings(models: Sequence[Model]) -> dict[str, dict[str, list[Recording]]]:
    """The recordings of each model by the name of their file. Models that take the same ones share them."""
    loaded: dict[tuple[Path, tuple[Channel, ...], int], list[Recording]] = {}
    found: dict[str, dict[str, list[Recording]]] = {}
    for model in models:
        if model.recordings is None:
            found[model.name] = {}
            continue
        key = model.recordings, tuple(model.channels), model.window
        if key not in loaded:
            loaded[key] = load_recordings(*key)
        for recording in loaded[key]:
            check_recording(model, recording)
        found[model.name] = by_file(loaded[key])
    return found
