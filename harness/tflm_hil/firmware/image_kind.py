"""The kinds of images that one network is built into."""

from __future__ import annotations

import enum


class ImageKind(enum.StrEnum):
    """What an image is for. Kernels are the same in all of them.

    A `debug` image keeps every tensor, so each operator is a step of its own and no memory is shared. A `profile` image
    has the steps and the memory of the tested one, and can also measure each step.
    """

    TESTED = enum.auto()
    DEBUG = enum.auto()
    PROFILE = enum.auto()

    @property
    def sections(self) -> tuple[str, ...]:
        """The section of platformio.ini that its environments extend beside that of the engine, if there is one."""
        return () if self is ImageKind.TESTED else (self.value,)
