"""Decide whether a product of the build is up to date, from a record of all files that it depends on.

SCons rebuilds a product if a source, a header that it finds itself, or a command line changes. It does not see headers
of the toolchain, files that a linker script includes, the compiler behind its driver, or a damaged product. Therefore
the compiler and the linker list all files that they read, and a record beside each product holds their digests.
"""

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from SCons.Script import Action

# The programs that the compiler driver runs, and the files that it reads itself.
PROGRAMS = ("cc1", "cc1plus", "as", "collect2", "ld")
FILES = ("nano.specs",)

_NAME = re.compile(r"(?:\\[ \\#:]|\$\$|[^\s])+")
_ESCAPED = re.compile(r"\\([ #:])|\$(\$)")


def track(nodes: Any) -> Any:
    """Record these products and check them against their records; return `nodes`."""
    for node in nodes:
        node.attributes.tracked = True
        # PlatformIO's env.AddPostAction() loses the action in the environments of libraries.
        node.get_executor().add_post_action(RECORD)
    return nodes


def decide(dependency: Any, target: Any, previous: Any, repository: Any = None) -> bool:
    """The decider of SCons: return whether `target` must be made again; `dependency` is one of its sources."""
    changed = bool(dependency.changed_content(target, previous, repository))  # Call it always: it stores the content.
    tracked = getattr(target.attributes, "tracked", False)
    return changed or (tracked and not _is_as_recorded(target.get_path(), _tools(target.get_build_env())))


def inputs(dependencies: str, compiler: bool) -> list[str]:
    """Return the files in a dependency file of the compiler, which escapes names, or of the linker."""
    lines = dependencies.partition(":")[2]
    if compiler:
        return [_ESCAPED.sub(r"\1\2", name) for name in _NAME.findall(lines.replace("\\\n", " "))]
    return [line.strip().removesuffix(" \\") for line in lines.partition("\n\n")[0].split("\n")[1:]]


def record(target: Any, source: Any, env: Any) -> None:  # noqa: ARG001 (SCons passes it by name)
    """The action of SCons after a product was made: write its record."""
    product = Path(target[0].get_path())
    digests: dict[str, str] = {}
    written = product.with_name(f"{product.name}.d")
    if written.is_file():
        text = written.read_text(encoding="utf-8", errors="surrogateescape")
        # The linker lists scripts by the names on its command line, which it searches in LIBPATH.
        folders = ("", *(str(folder) for folder in env.subst_path(env.get("LIBPATH", []))))
        names = [_find(name, folders) for name in inputs(text, compiler=product.suffix == ".o")]
        digests = {name: _digest_once(name) for name in names}
    made = {"product": _digest(str(product)), "tools": _tools(env), "inputs": digests}
    _record_file(product).write_text(json.dumps(made), encoding="utf-8")


RECORD = Action(record, None)


@functools.cache
def _is_as_recorded(product: str, tools: str) -> bool:
    try:
        made = json.loads(_record_file(Path(product)).read_text(encoding="utf-8"))
        return (
            made["product"] == _digest(product)
            and made["tools"] == tools
            and all(_digest_once(name) == digest for name, digest in made["inputs"].items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


@functools.cache
def _find(name: str, folders: tuple[str, ...]) -> str:
    candidates = (os.path.join(folder, name) for folder in folders)  # noqa: PTH118 (for speed)
    return next((candidate for candidate in candidates if os.path.isfile(candidate)), name)  # noqa: PTH113


def _record_file(product: Path) -> Path:
    return product.with_name(f"{product.name}.made")


def _digest(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (a hundred times faster for a thousand files)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "none"


_digest_once = functools.cache(_digest)
"""For inputs, because they do not change during a build."""


def _tools(env: Any) -> str:
    return _tools_of(env.subst("$CC"), env["ENV"].get("PATH", ""))


@functools.cache
def _tools_of(compiler: str, path: str) -> str:
    """The files of the toolchain with sizes and times, which stand for the content: they are large and never edited."""
    driver = shutil.which(compiler, path=path) or compiler
    options = [*(f"-print-prog-name={name}" for name in PROGRAMS), *(f"-print-file-name={name}" for name in FILES)]
    names = [subprocess.run([driver, option], capture_output=True, text=True).stdout.strip() for option in options]
    found = [Path(shutil.which(name, path=path) or name) for name in [driver, *names]]
    return " ".join(f"{file}:{_facts(file)}" for file in found)


def _facts(file: Path) -> str:
    try:
        status = file.stat()
    except OSError:
        return "none"
    return f"{status.st_size}:{status.st_mtime_ns}"
