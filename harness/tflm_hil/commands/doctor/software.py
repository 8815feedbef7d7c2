"""What a project needs to be built and run on an emulator."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from importlib.metadata import requires
from pathlib import Path

from tflm_hil.boards.qemu import board as qemu
from tflm_hil.boards.renode import installation as renode
from tflm_hil.commands.doctor.finding import Finding, look_for
from tflm_hil.configuration import find_project, load_configuration, nearest_project
from tflm_hil.engines import selection as engines
from tflm_hil.engines.external.application import load_application
from tflm_hil.errors import HilError
from tflm_hil.firmware import sources, toolchain
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import load_models
from tflm_hil.targets import find_targets, load_targets

EMULATORS = {qemu.QEMU: "qemu-system-arm", "qemu-system-avr": "qemu-system-misc"}
"""The Debian package of each."""

PLATFORMIO = ("platformio", "scons")


def examine_software(start: Path) -> Iterator[Finding]:
    """Look for everything that a project needs, above all for the one that the folder `start` lies in."""
    yield look_for("firmware of tflm-hil", lambda: str(sources.project()), sources.REMEDY)
    yield look_for("pytest", partial(toolchain.package_version, "pytest"), "pip install pytest")
    yield look_for("PlatformIO and SCons", _platformio, f"pip install {' '.join(_wanted())}")
    yield _project(start)
    root, application = start, None
    with suppress(HilError):  # The line about the project has said it.
        root = nearest_project(start) or start
        application = load_configuration(root).application
    yield look_for("permission to write", partial(_writable, root), f"chmod u+w {root}")

    # What builds an application of the user's own is his affair.
    builds, compiler = application is None, toolchain.COMPILER
    yield look_for(compiler, toolchain.check_compiler, f"apt-get install {toolchain.COMPILER_PACKAGE}", builds)
    for name, package in toolchain.LIBRARIES.items():
        yield look_for(name, partial(_library, name), f"apt-get install {package}", builds)
    emulator = _emulator(root, application.target) if application else qemu.QEMU
    yield look_for(emulator, partial(_program, emulator), f"apt-get install {EMULATORS.get(emulator, emulator)}")
    yield look_for("Renode", _renode, "", needed=False)
    for name in engines.names():
        yield look_for(f"engine {name}", partial(_engine, name, root), "", needed=False)
    yield look_for("LiteRT", _litert, "pip install 'tflm-hil[attribution]'", False)


def _project(start: Path) -> Finding:
    """The project that `start` lies in. Having none is all right: it is not needed for most commands."""
    with suppress(HilError):
        if nearest_project(start) is None:
            return Finding("project", f"none in {start} or above it", False, needed=False, command="hil new demo")
    return look_for("project", lambda: _models(find_project(start)), "")


def _platformio() -> str:
    """Both as this distribution asks for them: PlatformIO works with one version of SCons only."""
    found = [f"{name}=={toolchain.package_version(name)}" for name in PLATFORMIO]
    if set(found) != set(_wanted()):
        raise HilError(f"{', '.join(found)} instead of {', '.join(_wanted())}")
    return ", ".join(found)


def _wanted() -> list[str]:
    stated = requires(sources.DISTRIBUTION) or []
    return [line for line in stated if line.partition("==")[0] in PLATFORMIO]


def _models(root: Path) -> str:
    configuration = load_configuration(root)
    if application := load_application(configuration):
        return f"{root}, with an application of its own that runs {application.model.name}"
    load_targets(configuration.targets)
    models = load_models(root)
    if not models:
        raise HilError(f"{configuration.models}: no folder in it has a model.toml; add a model")
    return f"{root}, with {', '.join(models)}"


def _emulator(root: Path, name: str) -> str:
    """The emulator of the target `name`; that of our own targets if it is not known."""
    with suppress(HilError):
        (target,) = find_targets(load_targets(load_configuration(root).targets), [name])
        if target.qemu:
            return target.qemu.program
    return qemu.QEMU


def _library(name: str) -> str:
    return str(toolchain.check_library(name))


def _program(name: str) -> str:
    if name == qemu.QEMU:
        return qemu.version()
    if found := shutil.which(name):
        return found
    raise HilError(f"{name} is not on PATH")


def _renode() -> str:
    path = renode.find()
    return f"{renode.version(path)}, {path}"


def _engine(name: str, root: Path) -> str:
    engine, project = engines.load(name), FirmwareProject(root / ".hil")
    if reason := engine.unavailable(project):
        raise HilError(reason)
    return ", ".join(f"{library} {version}" for library, version in engine.versions(project).items()) or "available"


def _litert() -> str:
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise HilError("not installed, so a report does not say which step lost accuracy")
    return "installed"


def _writable(folder: Path) -> str:
    if not os.access(folder, os.W_OK):
        raise HilError(f"{folder} is read-only")
    return str(folder)
