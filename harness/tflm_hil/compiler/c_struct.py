"""Constants of C structure types, for the parameters of kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class CStruct:
    """A constant of the C type `ctype`, which has `bytes` bytes in flash. The fields are the C members, in order."""

    ctype: ClassVar[str]
    bytes: ClassVar[int]
