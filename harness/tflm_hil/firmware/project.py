"""The firmware project: from a model to an image, doing again only what is out of date."""

from pathlib import Path

from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio, sources, toolchain
from tflm_hil.firmware import platformio_ini as configuration
from tflm_hil.firmware.build_dir import BuildDir, Say, check_name, silent
from tflm_hil.firmware.build_lock import build_lock
from tflm_hil.firmware.generator import Emulate, Generated, Generator, Job
from tflm_hil.firmware.image import FirmwareImage, read_application, read_image
from tflm_hil.firmware.memory import TooLargeError, targets_with_room
from tflm_hil.firmware.model_config import write_model_config
from tflm_hil.models.manifest import Model, Variant
from tflm_hil.models.tflite_file import read


class FirmwareProject:
    """The PlatformIO project at `root`, which is ours if none is named; what is built lies in `build_root`.

    Several processes may build at once: each image is built by one of them, and the others wait for it. An engine that
    has to try something in an emulator is given `emulate`.

    Raises:
        HilError: one of the folders has a name that PlatformIO cannot work with.
    """

    def __init__(self, build_root: Path, emulate: Emulate | None = None, root: Path | None = None) -> None:
        self.root = (root or sources.project()).resolve()
        self.build_root = build_root.resolve()
        for folder in (self.root, self.build_root):
            check_name(folder)
        self._emulate = emulate

    def build(
        self, model: Model, variant: str, engine: Generator, target: str, debug: bool = False, say: Say = silent
    ) -> FirmwareImage:
        """The image of `model`'s `variant` with `engine` for `target`.

        PlatformIO is asked every time, and builds again what has changed: only it knows all that an image depends on.
        A `debug` image keeps every tensor of the network in RAM and answers TENSOR requests. `say` is told what takes
        its time.

        Raises:
            TooLargeError: the image does not fit.
            HilError: no such environment in platformio.ini, a tool is missing, the engine cannot run the model, the
                build failed or the disk is full.
        """
        suffix = "_debug" if debug else ""
        environment = engine.environment(target) + suffix
        self.check_environment(environment)
        name = f"{model.name}-{variant}-{target}_{engine.name}{suffix}"
        build_dir = BuildDir(self.root, self.build_root, name, target, environment)
        try:
            build_dir.path.mkdir(parents=True, exist_ok=True)
            with build_lock(build_dir.path / "lock", name, say):
                generated = self._build(model, model.variants[variant], engine, build_dir, debug, say)
                sizes = generated.constant_bytes, generated.arena_bytes
                return read_image(build_dir.elf, target, *sizes, build_dir.generated)
        except TooLargeError as error:
            larger = targets_with_room(self.root, self.environments(), environment, error.excess)
            targets = [f"target {name}" for name in larger] or ["a larger target"]
            raise error.instead(["a smaller model", *targets]) from None
        except OSError as error:
            raise HilError(
                f"cannot build in {build_dir.path}: {error.strerror}; free or name another folder"
            ) from error

    def build_as_it_is(self, environment: str, target: str, say: Say = silent) -> FirmwareImage:
        """The image that `environment` builds for `target` from sources that are not ours; nothing is generated.

        Raises:
            HilError: no such environment or image, or the build failed.
        """
        self.check_environment(environment)
        build_dir = BuildDir(self.root, self.build_root, f"application-{environment}", target, environment)
        build_dir.path.mkdir(parents=True, exist_ok=True)
        with build_lock(build_dir.path / "lock", build_dir.name, say):
            settings = {"PLATFORMIO_BUILD_DIR": str(build_dir.build)}
            platformio.run(self.root, environment, self.build_root, settings, build_dir.log, silent, say)
            return read_application(build_dir.elf, target)

    def _build(
        self, model: Model, variant: Variant, engine: Generator, build_dir: BuildDir, debug: bool, say: Say
    ) -> Generated:
        toolchain.versions()
        graph = read(variant.path)
        config = write_model_config(model, variant.sha256, graph, build_dir.generated)
        generated = engine.generate(Job(variant.path, graph, debug, build_dir, self._emulate, say))
        for leftover in set(build_dir.generated.iterdir()) - {*config, *generated.sources}:
            leftover.unlink()
        settings = {**platformio.build_variables(build_dir.generated, build_dir.build), **generated.settings}
        log, watch = build_dir.log, generated.watch
        platformio.run(self.root, build_dir.environment, self.build_root, settings, log, watch, say)
        return generated

    def environments(self) -> list[str]:
        """The environments of platformio.ini, each a target and an engine. Raises HilError where it cannot be read."""
        return configuration.environments(self.root)

    def check_environment(self, environment: str) -> None:
        """Raises HilError where platformio.ini has no such environment, or cannot be read."""
        known = self.environments()
        if environment not in known:
            raise HilError(
                f"{self.root / 'platformio.ini'} has no environment {environment}; it has {', '.join(known) or 'none'}"
            )
