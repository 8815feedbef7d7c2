"""The firmware project: from a model to an image, doing again only what is out of date."""

from pathlib import Path

from tflm_hil.compiler import compile_model
from tflm_hil.engines import selection as engines
from tflm_hil.engines.tflm import arena
from tflm_hil.engines.tflm import build as tflm_engine
from tflm_hil.engines.tflm import library as tflm_library
from tflm_hil.engines.tflm.library import TflmLibrary
from tflm_hil.errors import HilError
from tflm_hil.firmware import platformio, sources, toolchain
from tflm_hil.firmware import platformio_ini as configuration
from tflm_hil.firmware.application import Application
from tflm_hil.firmware.build_dir import BuildDir, Say, check_name, silent
from tflm_hil.firmware.build_lock import build_lock
from tflm_hil.firmware.image import FirmwareImage, read_application, read_image
from tflm_hil.firmware.memory import TooLargeError, targets_with_room
from tflm_hil.firmware.model_config import write_model_config
from tflm_hil.models.manifest import Model, Variant
from tflm_hil.models.tflite_file import read


class FirmwareProject:
    """The PlatformIO project at `root`, which is ours if none is named; what is built lies in `build_root`.

    Several processes may build at once: each image is built by one of them, and the others wait for it.

    Raises:
        HilError: one of the folders has a name that PlatformIO cannot work with.
    """

    def __init__(self, build_root: Path, attempt: arena.Try | None = None, root: Path | None = None) -> None:
        self.root = (root or sources.project()).resolve()
        self.build_root = build_root.resolve()
        for folder in (self.root, self.build_root):
            check_name(folder)
        self._attempt = attempt

    def build(
        self, model: Model, variant: str, engine: str, target: str, debug: bool = False, say: Say = silent
    ) -> FirmwareImage:
        """The image of `model`'s `variant` with `engine` for `target`.

        PlatformIO is asked every time, and builds again what has changed: only it knows all that an image depends on.
        A `debug` image keeps every tensor of the network in RAM and answers TENSOR requests. `say` is told what takes
        its time.

        Raises:
            HilError: no such environment in platformio.ini, a tool is missing, the engine cannot run the model, the
                build failed, the image is too large or the disk is full.
        """
        environment = f"{target}_{engine}" + ("_debug" if debug else "")
        self.check_environment(environment)
        build_dir = BuildDir(self.root, self.build_root, f"{model.name}-{variant}", target, environment)
        try:
            build_dir.path.mkdir(parents=True, exist_ok=True)
            with build_lock(build_dir.path / "lock", build_dir.path.name, say):
                library = tflm_engine.provide(build_dir, say) if engine == "tflm" else None
                sizes = self._build(model, model.variants[variant], build_dir, debug, library, say)
                return read_image(build_dir.elf, target, *sizes, build_dir.generated)
        except TooLargeError as error:
            larger = targets_with_room(self.root, self.environments(), environment, error.excess)
            ways = ["a smaller model", *([f"target {name}" for name in larger] or ["a larger target"])]
            # An interpreter needs more memory than generated code, so the way leads from tflm to aot only.
            if engine == "tflm" and (other := self._alternative(engine, model.variants[variant].path)):
                ways.insert(1, other)
            raise error.instead(" or ".join(ways)) from None
        except OSError as error:
            raise HilError(
                f"cannot build in {build_dir.path}: {error.strerror}; free or name another folder"
            ) from error

    def build_application(self, application: Application, say: Say = silent) -> FirmwareImage:
        """The image of an application of the user's own, built by its environment unless it is there already.

        Raises:
            HilError: no such environment or image, or the build failed.
        """
        if application.elf is not None:
            return read_application(application.elf, application.target)
        environment = str(application.environment)
        _check_environment(application.root, environment)
        build_dir = BuildDir(application.root, self.build_root, "application", application.target, environment)
        build_dir.path.mkdir(parents=True, exist_ok=True)
        with build_lock(build_dir.path / "lock", build_dir.path.name, say):
            settings = {"PLATFORMIO_BUILD_DIR": str(build_dir.build)}
            platformio.run(build_dir.root, environment, self.build_root, settings, build_dir.log, silent, say)
            return read_application(build_dir.elf, application.target)

    def _build(
        self, model: Model, variant: Variant, build_dir: BuildDir, debug: bool, library: TflmLibrary | None, say: Say
    ) -> tuple[int, int]:
        """Generate and build; the bytes of the network's constants and of its arena."""
        toolchain.versions()
        graph = read(variant.path)
        self._check("aot" if library is None else "tflm", variant.path, library, say)
        settings = platformio.build_variables(build_dir.generated, build_dir.build)
        watch: platformio.Watch = silent
        written = write_model_config(model, variant.sha256, graph, build_dir.generated)
        if library is None:
            compiled = compile_model(variant.path, build_dir.generated, keep_tensors=debug)
            written += compiled.sources
            sizes = compiled.constant_bytes, compiled.arena_bytes
        else:
            sources, arena_bytes = tflm_engine.generate(build_dir, variant.path, graph, library, self._attempt, say)
            written += sources
            settings |= tflm_engine.settings(build_dir, library)
            watch = tflm_engine.progress(say)
            sizes = variant.path.stat().st_size, arena_bytes
        for leftover in set(build_dir.generated.iterdir()) - set(written):
            leftover.unlink()
        platformio.run(self.root, build_dir.environment, self.build_root, settings, build_dir.log, watch, say)
        return sizes

    def _check(self, engine: str, tflite: Path, library: TflmLibrary | None, say: Say) -> None:
        """Raises HilError for a network that cannot be run or compared; names an engine that takes it if one does."""
        try:
            engines.check(engine, tflite, library, self.build_root, say)
        except HilError as error:
            other = self._alternative(engine, tflite)
            raise HilError(f"{error}; or use {other}" if other else str(error)) from error

    def _alternative(self, engine: str, tflite: Path) -> str | None:
        return engines.alternative(engine, tflite, tflm_library.find(self.build_root), self.build_root)

    def environments(self) -> list[str]:
        """The environments of platformio.ini, each a target and an engine. Raises HilError where it cannot be read."""
        return configuration.environments(self.root)

    def check_environment(self, environment: str) -> None:
        """Raises HilError where platformio.ini has no such environment, or cannot be read."""
        _check_environment(self.root, environment)


def _check_environment(root: Path, environment: str) -> None:
    known = configuration.environments(root)
    if environment not in known:
        raise HilError(
            f"{root / 'platformio.ini'} has no environment {environment}; it has {', '.join(known) or 'none'}"
        )
