"""The engines that are installed, the ones that a run uses, and what each of them says of a network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tflm_hil import extensions
from tflm_hil.engines.engine import Engine, Estimate
from tflm_hil.engines.external.engine import ExternalEngine
from tflm_hil.errors import HilError
from tflm_hil.extensions import ExtensionError
from tflm_hil.firmware.image import FirmwareImage
from tflm_hil.firmware.image_kind import ImageKind
from tflm_hil.firmware.memory import TooLargeError
from tflm_hil.firmware.project import FirmwareProject
from tflm_hil.models.manifest import EVERY, Model
from tflm_hil.models.reference import Reference
from tflm_hil.progress import Say, silent
from tflm_hil.targets import Target

GROUP = "tflm_hil.engines"
AUTO = "auto"
DEFAULT = "aot"
"""The engine of commands that work with one, if neither the user nor the project names it."""

# It becomes part of folders, of environments of PlatformIO and of test ids.
_NAME = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*")
_RESERVED = (AUTO, EVERY, ExternalEngine.name)


def names() -> list[str]:
    """The engines that are installed, ours first."""
    return list(extensions.discover(GROUP))


def load(name: str) -> Engine:
    """The engine `name`. Raises HilError if there is none, ExtensionError if it cannot be loaded."""
    if name not in names():
        *others, last = names()
        raise HilError(f"unknown engine {name}; choose {', '.join((AUTO, *others))} or {last}")
    extension = extensions.find(GROUP, name)
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise ExtensionError(
            f"{extension}: no engine may have this name; use other letters, digits, and _ between them"
        )
    engine: Engine = extension.make()
    if engine.name != name:
        raise ExtensionError(f"{extension}: the engine calls itself {engine.name!r}; give both the same name")
    return engine


def choose(asked: str, project: FirmwareProject) -> tuple[tuple[Engine, ...], dict[str, str]]:
    """The engines to use for `asked`, the name of one or AUTO, and by name why others of AUTO cannot be had.

    Raises HilError if the engine that was asked for by name cannot be had.
    """
    if asked != AUTO:
        engine = load(asked)
        if reason := engine.unavailable(project):
            raise HilError(f"engine {asked}: {reason}")
        return (engine,), {}
    found: list[Engine] = []
    missing: dict[str, str] = {}
    for name in names():
        try:
            engine = load(name)
            reason = engine.unavailable(project)
        except ExtensionError as error:  # Nobody asked for it, so it must not stop the others.
            reason = str(error)
        if reason:
            missing[name] = reason
        else:
            found.append(engine)
    return tuple(found), missing


def versions(engine: Engine, project: FirmwareProject) -> Mapping[str, str]:
    """The name and version of everything that `engine` consists of beside the project's own sources."""
    found = engine.versions(project)
    _expect(Mapping, engine, "versions", found)
    return found


def check(engine: Engine, tflite: Path, project: FirmwareProject, say: Say = silent) -> Estimate | None:
    """Refuse, before anything is built, a network that `engine` cannot run or whose answers cannot be compared.

    Returns what is known of its image already. Raises HilError with the reason.
    """
    estimate = engine.check(tflite, project, say)
    if estimate is not None:
        _expect(Estimate, engine, "check", estimate)
    Reference(tflite)
    return estimate


def build(
    engine: Engine,
    project: FirmwareProject,
    model: Model,
    variant: str,
    target: Target,
    kind: ImageKind = ImageKind.TESTED,
    say: Say = silent,
) -> FirmwareImage:
    """The image of `model`'s `variant` with `engine` for `target`.

    Raises HilError if the network is refused, or the image cannot be built; it names another engine if one helps.
    """
    tflite = model.variants[variant].path
    try:
        check(engine, tflite, project, say)
    except HilError as error:
        other = next(_takers(tflite, project, other_than=engine), None)
        raise HilError(f"{error}; or use engine {other.name}" if other else str(error)) from error
    try:
        return engine.build(project, model, variant, target, kind, say)
    except TooLargeError as error:
        # An interpreter needs more memory than compiled code, so the way leads from the former to the latter only.
        others = () if engine.compiles else _takers(tflite, project, other_than=engine)
        smaller = [f"engine {other.name}" for other in others if other.compiles]
        first, *rest = error.ways
        raise error.instead([first, *smaller[:1], *rest]) from None


def _takers(tflite: Path, project: FirmwareProject, other_than: Engine) -> Iterator[Engine]:
    """The other engines that take the network."""
    for name in names():
        if name == other_than.name:
            continue
        try:
            engine = load(name)
            check(engine, tflite, project)
        except HilError:
            continue
        yield engine


def _expect(kind: type, engine: Engine, method: str, value: object) -> None:
    """Raise HilError if the `value` that a `method` of `engine` has returned is of another kind."""
    if not isinstance(value, kind):
        raise HilError(f"engine {engine.name}: {method}() returns {value!r}; it should be of type {kind.__name__}")
