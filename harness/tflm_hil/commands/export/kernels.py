"""Which files of the firmware a generated network needs beside itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tflm_hil.errors import HilError

_INCLUDE = re.compile(r'#include "([\w.]+)"')
# What other files can call begins so, in the first column of a line.
_FUNCTION = re.compile(r"^(?!static\b)\w[\w ]*[ *]((?:aot|windowing)_\w+)\([^;{}]*\) \{", re.MULTILINE)
_DECLARATION = re.compile(r"^\w[\w ]*[ *](?:aot|windowing)_\w+\([^;{}]*\);", re.MULTILINE)
_NAME = re.compile(r"\b(?:aot|windowing)_\w+")


@dataclass(frozen=True)
class Sources:
    """Sources and headers by file name, and which source defines a function."""

    paths: dict[str, Path]
    texts: dict[str, str]
    definitions: dict[str, str]

    def needed(self, names: Iterable[str]) -> list[Path]:
        """Return the files that `names`, files or functions, need: themselves, what they include and call, and so on.

        Raises:
            HilError: the firmware has no such file or function.
        """
        found: set[str] = set()
        waiting = [self.definitions.get(name, name) for name in names]
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            if name not in self.texts:
                raise HilError(f"the firmware has no {name}; install tflm-hil again")
            found.add(name)
            text = self.texts[name]
            waiting += _INCLUDE.findall(text)
            # A declaration is no call.
            called = _NAME.findall(_DECLARATION.sub("", text))
            waiting += [self.definitions[word] for word in called if word in self.definitions]
        return [self.paths[name] for name in sorted(found)]


def read_sources(firmware: Path) -> Sources:
    """Return the kernels and the windowing of `firmware`, whose file names are all different.

    Raises:
        HilError: a file cannot be read.
    """
    libraries = firmware / "lib"
    folders = (libraries / "aot" / "kernels", libraries / "windowing")
    files = [path for folder in folders for path in sorted(folder.rglob("*.[ch]"))]
    paths = {path.name: path for path in (*files, libraries / "protocol" / "src" / "hil_tensor.h")}
    try:
        texts = {name: _without_comments(path.read_text(encoding="utf-8")) for name, path in paths.items()}
    except OSError as error:
        raise HilError(f"{error.filename}: cannot be read ({error.strerror}); install tflm-hil again") from error
    definitions = {
        function: name for name, text in texts.items() if name.endswith(".c") for function in _FUNCTION.findall(text)
    }
    return Sources(paths, texts, definitions)


def _without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
