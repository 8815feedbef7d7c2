"""The firmware project: from a model to an image, doing again only what is out of date."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

import msgspec

from tflm_hil.errors import HilError, InfrastructureError
from tflm_hil.files import write_text
from tflm_hil.firmware import environments, platformio, sources, toolchain
from tflm_hil.firmware import platformio_ini as configuration
from tflm_hil.firmware.build_dir import BuildDir, check_name
from tflm_hil.firmware.build_lock import build_lock
from tflm_hil.firmware.generator import Emulate, Generated, Generator, Job
from tflm_hil.firmware.image import FirmwareImage, read_application, read_image
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.memory import TooLargeError, targets_with_room
from tflm_hil.firmware.model_config import write_model_config
from tflm_hil.models.manifest import Model, Variant
from tflm_hil.models.tflite_file import read
from tflm_hil.progress import Say, silent
from tflm_hil.targets import Target

_BUILT = "built.json"


class _Sizes(msgspec.Struct, frozen=True):
    """What `run` has built in a folder, as far as the image itself does not tell it; see Generated."""

    run: str
    constant_bytes: int
    arena_bytes: int


class FirmwareProject:
    """The PlatformIO project at `root`, which is ours if none is named; what is built lies in `build_root`.

    Several processes may build at once: each image is built by one of them, and the others wait for it. An engine that
    has to try something in an emulator is given `emulate`. If an image is too large, one of `targets` is advised.
    Processes of one `run` have the same image, even if a source changes meanwhile; without a name of the run, each
    looks what has changed.

    Raises:
        HilError: one of the folders has a name that PlatformIO cannot work with.
    """

    def __init__(
        self,
        build_root: Path,
        emulate: Emulate | None = None,
        root: Path | None = None,
        targets: Collection[Target] = (),
        run: str = "",
    ) -> None:
        self.root = (root or sources.project()).resolve()
        self.build_root = build_root.resolve()
        for folder in (self.root, self.build_root):
            check_name(folder)
        self._emulate = emulate
        self._targets = targets
        self._run = run

    def build(
        self,
        model: Model,
        variant: str,
        engine: Generator,
        target: Target,
        kind: ImageKind = ImageKind.TESTED,
        say: Say = silent,
    ) -> FirmwareImage:
        """The image of `model`'s `variant` with `engine` for `target`.

        If anything has changed that an image depends on, PlatformIO is asked, and builds again what has to be.
        `say` is told what takes its time.

        Raises:
            TooLargeError: the image does not fit.
            HilError: our firmware is not made for the target, a tool is missing, the engine cannot run the model, the
                build failed or the disk is full.
        """
        if target.build is None:
            raise HilError(f"target {target.name} is for applications of the user's own; choose another")
        environment = environments.environment(target.name, engine.name, kind)
        name = f"{model.name}-{variant}-{environment}"
        build_dir = BuildDir(self.root, self.build_root, name, target, environment)
        try:
            build_dir.path.mkdir(parents=True, exist_ok=True)
            with build_lock(build_dir.path / "lock", name, say):
                sizes = self._built_by_another(build_dir)
                if sizes is None:
                    environments.define(build_dir, engine.name, engine.ini, kind)
                    generated = self._build(model, model.variants[variant], engine, build_dir, kind, say)
                    sizes = _Sizes(self._run, generated.constant_bytes, generated.arena_bytes)
                    write_text(build_dir.path / _BUILT, msgspec.json.encode(sizes).decode())
                arguments = sizes.constant_bytes, sizes.arena_bytes, build_dir.generated
                return read_image(build_dir.elf, target, *arguments)
        except TooLargeError as error:
            larger = targets_with_room(self._targets, target, error.excess)
            ways = [f"target {other.name}" for other in larger] or ["a larger target"]
            raise error.instead(["a smaller model", *ways]) from None
        except OSError as error:
            raise InfrastructureError(
                f"cannot build in {build_dir.path}: {error.strerror}; free or name another folder"
            ) from error

    def _built_by_another(self, build_dir: BuildDir) -> _Sizes | None:
        """What a process of the same run has built, None if none has. Call it with the lock of the image."""
        if not self._run:
            return None
        try:
            sizes = msgspec.json.decode((build_dir.path / _BUILT).read_bytes(), type=_Sizes)
        except (OSError, msgspec.MsgspecError):
            return None
        return sizes if sizes.run == self._run else None

    def build_as_it_is(self, environment: str, target: Target, say: Say = silent) -> FirmwareImage:
        """The image that `environment` builds for `target` from sources that are not ours; nothing is generated.

        Raises:
            HilError: no such environment or image, or the build failed.
        """
        known = configuration.environments(self.root)
        if environment not in known:
            raise HilError(
                f"{self.root / 'platformio.ini'} has no environment {environment}; it has {', '.join(known) or 'none'}"
            )
        build_dir = BuildDir(self.root, self.build_root, f"application-{environment}", target, environment)
        build_dir.path.mkdir(parents=True, exist_ok=True)
        with build_lock(build_dir.path / "lock", build_dir.name, say):
            settings = {"PLATFORMIO_BUILD_DIR": str(build_dir.build)}
            platformio.run(build_dir, settings, build_dir.log, silent, say)
            return dataclasses.replace(read_application(build_dir.linked_last, target), application=build_dir)

    def _build(
        self, model: Model, variant: Variant, engine: Generator, build_dir: BuildDir, kind: ImageKind, say: Say
    ) -> Generated:
        toolchain.versions()
        graph = read(variant.path)
        config = write_model_config(model, variant.sha256, graph, build_dir.generated)
        generated: object = engine.generate(Job(variant.path, graph, kind, build_dir, self._emulate, say))
        if not isinstance(generated, Generated):
            raise HilError(f"engine {engine.name}: generate() returns {generated!r}; it should be of type Generated")
        for leftover in set(build_dir.generated.iterdir()) - {*config, *generated.sources}:
            leftover.unlink()
        settings = {**platformio.build_variables(build_dir.generated, build_dir.build), **generated.settings}
        platformio.bring_up_to_date(build_dir, build_dir.elf, settings, build_dir.log, generated.watch, say)
        return generated
