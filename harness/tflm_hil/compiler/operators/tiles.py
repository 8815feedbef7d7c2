"""Tiles of an image, which convolutions copy with padding around; see aot_tiles.h."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tflm_hil.compiler.c_struct import CStruct
from tflm_hil.compiler.graph.sliding_window import SlidingWindow

# The most elements of a tile.
TILE_ELEMENTS = 256

Steps = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Tiles(CStruct):
    """The parameters of a kernel: the size in outputs, and the bytes of a row."""

    ctype: ClassVar[str] = "aot_tiles_t"
    bytes: ClassVar[int] = 8
    height: int
    width: int
    pitch: int


@dataclass(frozen=True)
class Tiling:
    """An image with pixels of so many bytes, divided into tiles of `height` x `width` outputs.

    Without `copies` it is the only tile. A row of the image is divided into `parts` rows of a tile, and a kernel may
    read `extra` bytes beyond a tile.
    """

    window: SlidingWindow
    pixel: int
    height: int
    width: int
    copies: bool = True
    parts: int = 1
    extra: int = 0

    @property
    def tiles(self) -> Tiles:
        """The parameters."""
        columns = -(-self.columns // self.parts) if self.copies else self.window.input_width
        return Tiles(self.height, self.width, columns * self.pixel)

    @property
    def scratch(self) -> int:
        """The bytes of a copy and of what is read beyond it, in whole words, because kernels fill words."""
        count = self.rows * self.parts * self.tiles.pitch + self.extra
        return count + -count % 4 if self.copies else 0

    def lag(self, pixel: int) -> int:
        """The lag in bytes of a kernel that reads a tile, then writes its outputs as pixels of so many bytes."""
        window = self.window
        columns = np.minimum(np.arange(0, window.output_width, self.width), window.output_width - self.width)
        rows = np.arange(0, window.output_height, self.height)[:, None]
        last_rows = np.minimum(rows + self.height, window.output_height) - 1
        read = self.pixel * first_read(window, rows, columns)
        written = pixel * (last_rows * window.output_width + columns + self.width).ravel()
        return lag_of(read[1:], written[:-1])

    @property
    def rows(self) -> int:
        """The rows of the image that the windows of a tile cover."""
        window = self.window
        return (self.height - 1) * window.stride_height + (window.kernel_height - 1) * window.dilation_height + 1

    @property
    def columns(self) -> int:
        """The columns of the image that the windows of a tile cover."""
        window = self.window
        return (self.width - 1) * window.stride_width + (window.kernel_width - 1) * window.dilation_width + 1


def untiled(window: SlidingWindow, pixel: int) -> Tiling | None:
    """The whole image as one tile, which needs no copy; None if a window reaches beyond the image."""
    tiling = Tiling(window, pixel, window.output_height, window.output_width, copies=False)
    pads = max(window.pad_top, window.pad_left)
    fits = pads == 0 and tiling.rows <= window.input_height and tiling.columns <= window.input_width
    return tiling if fits else None


def tiled(window: SlidingWindow, pixel: int, group: int = 1, parts: int = 1, extra: int = 0) -> Tiling | None:
    """The image in tiles of whole rows, or of parts of a row, which are groups of `group` outputs.

    None if not even a group fits into a tile.
    """
    height, width = window.output_height, window.output_width
    most = TILE_ELEMENTS * pixel // window.input_channels
    fitting: Iterator[Tiling] = (
        Tiling(window, pixel, *size, parts=parts, extra=extra)
        for size in (*((rows, width) for rows in _even(height, 1)), *((1, columns) for columns in _even(width, group)))
    )
    return next((tiling for tiling in fitting if tiling.scratch <= most), None)


def _even(size: int, group: int) -> Iterator[int]:
    """The lengths of one, two ... parts of `size`, the last of which may be shorter, in multiples of `group`."""
    for parts in range(1, size // group + 1):
        yield size if parts == 1 else -(-size // parts // group) * group


def first_read(window: SlidingWindow, rows: Steps, columns: Steps) -> Steps:
    """The first pixel of the image that steps read which begin with the output at (row, column)."""
    first_rows = np.maximum(rows * window.stride_height - window.pad_top, 0)
    first_columns = np.maximum(columns * window.stride_width - window.pad_left, 0)
    return (first_rows * window.input_width + first_columns).ravel()


def lag_of(read: Steps, written: Steps) -> int:
    """The lag if, when step i reads the last of its inputs, which begin at `read[i]`, `written[i]` has been written."""
    needed = np.minimum.accumulate(read[::-1])[::-1]
    return int(np.max(np.maximum.accumulate(written) - needed, initial=0))
