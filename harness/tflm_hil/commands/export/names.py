"""C identifiers for names that people gave to models and files."""

from __future__ import annotations

import re

# What the exported libraries call their own functions and types, and what C and POSIX keep for themselves.
_TAKEN = frozenset({"aot", "hil", "windowing", "str", "mem", "is", "to", "atomic", "pthread"})


def identifier(name: str) -> str:
    """Return `name` as the beginning of C identifiers and file names, in lower case: "My-model 2" gives "my_model_2".

    What is no ASCII letter, digit or underscore becomes an underscore. A name that begins with a digit, is empty, or
    would give names that belong to others gets "model_" in front.
    """
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    return plain if re.match(r"[a-z]", plain) and plain not in _TAKEN else f"model_{plain}".rstrip("_")
