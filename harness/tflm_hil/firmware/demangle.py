"""The names of C++ as people write them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence

# The toolchain's comes first, because it knows all that its compiler makes.
PROGRAMS = ("arm-none-eabi-c++filt", "c++filt", "llvm-cxxfilt")
_SECONDS = 30


def demangle(names: Sequence[str]) -> list[str]:
    """Return `names` in their order, those of C++ demangled. Where no program does that, all stay as they are."""
    mangled = list(dict.fromkeys(name for name in names if name.startswith("_Z")))
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not mangled or program is None:
        return list(names)
    try:
        done = subprocess.run(
            [program], input="\n".join(mangled) + "\n", capture_output=True, text=True, check=True, timeout=_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return list(names)
    said = done.stdout.splitlines()
    known = dict(zip(mangled, said, strict=True)) if len(said) == len(mangled) else {}
    return [known.get(name, name) for name in names]
