"""Constants of C structure types, as kernels take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class CStruct:
    """A constant of the C type `ctype`, which takes `bytes` of flash. Its fields are the C members, in order."""

    ctype: ClassVar[str]
    bytes: ClassVar[int]
